//! Where the lines of the audit go. They are written by a separate thread: writing may take forever if nobody
//! reads the output, and must delay neither requests nor the end of the program.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use settings::AuditOutput;
use tokio::sync::oneshot;

pub(super) trait WriteLines: Send {
    /// Returns when a crash of the program can no longer lose the lines. After an error, some of them may be
    /// written.
    fn append(&mut self, lines: &str) -> io::Result<()>;
}

pub(crate) struct AuditWriter(mpsc::Sender<(String, oneshot::Sender<io::Result<()>>)>);

struct Stdout;

/// A file that other programs may rename, for example to rotate it.
pub(super) struct AppendedFile {
    path: PathBuf,
    open: Option<File>,
}

impl AuditWriter {
    /// Starts the thread for this output.
    pub(crate) fn start(output: AuditOutput) -> io::Result<Self> {
        match output {
            AuditOutput::Stdout => Self::of(Stdout),
            AuditOutput::File(path) => Self::of(AppendedFile::new(path)),
        }
    }

    pub(super) fn of(mut output: impl WriteLines + 'static) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<(String, oneshot::Sender<_>)>();
        thread::Builder::new().name("audit-writer".to_owned()).spawn(move || {
            for (lines, written) in receiver {
                // If nobody waits for the answer, the program is ending.
                let _ = written.send(output.append(&lines));
            }
        })?;
        Ok(Self(sender))
    }

    /// Writes lines, and returns when they are written.
    pub(super) async fn write(&self, lines: String) -> io::Result<()> {
        let gone = || io::Error::other("the writing thread has ended");
        let (sender, written) = oneshot::channel();
        self.0.send((lines, sender)).map_err(|_| gone())?;
        written.await.map_err(|_| gone())?
    }
}

impl WriteLines for Stdout {
    /// The log uses the standard output, too. The lock keeps lines complete.
    fn append(&mut self, lines: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(lines.as_bytes())?;
        out.flush()
    }
}

impl AppendedFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    /// Whether the file was neither renamed nor deleted. If it was, it must be opened again.
    fn is_in_place(&self, file: &File) -> bool {
        let place = |metadata: io::Result<std::fs::Metadata>| {
            metadata.ok().map(|metadata| (metadata.dev(), metadata.ino()))
        };
        place(file.metadata()).is_some_and(|open| place(self.path.metadata()) == Some(open))
    }

    fn opened(&self) -> io::Result<File> {
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        // A failed write or a killed program may have left a partial line.
        let mut last = [b'\n'];
        if let Some(end) = file.metadata()?.len().checked_sub(1) {
            file.read_exact_at(&mut last, end)?;
        }
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
        Ok(file)
    }
}

impl WriteLines for AppendedFile {
    fn append(&mut self, lines: &str) -> io::Result<()> {
        let open = self.open.take().filter(|file| self.is_in_place(file));
        let mut file = open.map_or_else(|| self.opened(), Ok)?;
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        self.open = Some(file);
        Ok(())
    }
}
