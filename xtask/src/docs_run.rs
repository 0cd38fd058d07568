//! Runs every shell block and configuration block of README and `docs/`, in the order of its page, and lists
//! the blocks that need another machine. Most pages run alone; the pages that a newcomer follows run one
//! after another. Each run has a new folder, a new network and its own processes, which end with it.

mod block;
mod created;
mod fragment;
mod reading;
mod script;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::{iter, thread};

use crate::clients::{self, Clients};
use crate::tools::{self, FOR_DOCUMENTS};
use crate::workspace::{self, Doing, Failure, TEST_FOLDER, TEST_PROFILE, Workspace, is_content};
use block::Use;
use reading::{Page, Reading};

/// A page takes seconds, and so does a row of pages. This limit stops a page that waits for ever.
const LONGEST: &str = "180";
/// Pages, or the row, that run beside each other.
const AT_ONCE: usize = 3;

/// A network with only its own loopback, and processes that end with the page. Root may create both; another
/// user needs a user namespace.
const ISOLATED: [&str; 5] = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
const AS_USER: [&str; 3] = ["--user", "--map-current-user", "--keep-caps"];

/// Which pages to run.
#[derive(clap::Args)]
pub(crate) struct DocsRunOptions {
    /// Only pages whose path ends so, such as `docs/secrets.md`, each by itself
    pages: Vec<String>,
    /// Only the pages that a newcomer follows, one after another in one folder and beside one server
    #[arg(long, conflicts_with = "pages")]
    row: bool,
}

/// Runs all pages with the program of the tests, which `cargo xtask ci` has built.
pub(crate) fn run_all(workspace: &Workspace) -> Result<(), Failure> {
    run_pages(workspace, &DocsRunOptions { pages: Vec::new(), row: false })
}

/// Builds the program and runs the pages.
pub(crate) fn run(workspace: &Workspace, options: &DocsRunOptions) -> Result<(), Failure> {
    let build = ["build", "--quiet", "--locked", "--profile", TEST_PROFILE, "--package", "latchkey"];
    workspace::run(&mut workspace.cargo(&build))?;
    run_pages(workspace, options)
}

fn run_pages(workspace: &Workspace, options: &DocsRunOptions) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_DOCUMENTS)?;
    let pages = read_pages(workspace)?;
    created::check_created(&pages)?;
    let readings = readings(&pages, options)?;
    let runner = Runner::new(workspace)?;
    run_at_once(&runner, readings.iter())?;
    let mut pages: Vec<&Page> = readings.into_iter().flatten().collect();
    pages.sort_by_key(|page| &page.path);
    pages.dedup_by_key(|page| &page.path);
    for page in &pages {
        for block in page.blocks.iter().filter(|block| block.purpose == Use::Elsewhere) {
            println!(
                "elsewhere: {}:{}: {}",
                page.path,
                block.line,
                block.text.lines().next().unwrap_or_default()
            );
        }
    }
    let sum = |count: fn(&Page) -> usize| pages.iter().map(|page| count(page)).sum::<usize>();
    println!(
        "{} pages: {} blocks ran, {} need another machine",
        pages.len(),
        sum(Page::runs),
        sum(Page::elsewhere)
    );
    Ok(())
}

/// Runs pages beside each other, because they mostly wait for a server. The result is the first failure.
fn run_at_once<'a>(
    runner: &Runner<'_>,
    readings: impl Iterator<Item = &'a Reading<'a>> + Send,
) -> Result<(), Failure> {
    let readings = Mutex::new(readings);
    let next = || readings.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || iter::from_fn(next).try_for_each(|reading| runner.run(reading));
    thread::scope(|scope| {
        let runs = [(); AT_ONCE].map(|()| scope.spawn(run));
        let ended =
            runs.map(|run| run.join().unwrap_or_else(|_| Err(Failure::new("a page's thread panicked"))));
        ended.into_iter().collect()
    })
}

/// The pages that the options choose. A named page runs alone, even if it is one of the row.
fn readings<'a>(pages: &'a [Page], options: &DocsRunOptions) -> Result<Vec<Reading<'a>>, Failure> {
    if options.row {
        return Ok(vec![reading::row(pages)?]);
    }
    if options.pages.is_empty() {
        return reading::all(pages);
    }
    let is_chosen = |page: &&Page| options.pages.iter().any(|end| page.path.ends_with(end.as_str()));
    let chosen: Vec<_> = pages.iter().filter(is_chosen).collect();
    if chosen.is_empty() {
        return Err(Failure::new("no page has such a name; name README.md or a file below docs/"));
    }
    chosen.into_iter().map(|page| reading::alone(pages, page)).collect()
}

fn read_pages(workspace: &Workspace) -> Result<Vec<Page>, Failure> {
    let mut paths = vec!["README.md".to_owned()];
    for folder in ["docs", "docs/decisions"] {
        for entry in fs::read_dir(workspace.root.join(folder)).doing(format_args!("list {folder}"))? {
            let name = entry.doing(format_args!("list {folder}"))?.file_name();
            paths.push(format!("{folder}/{}", name.to_string_lossy()));
        }
    }
    paths.retain(|path| path.ends_with(".md"));
    paths.sort();
    let read = |path: String| {
        let text = fs::read_to_string(workspace.root.join(&path)).doing(format_args!("read {path}"))?;
        Page::new(path, &text)
    };
    paths.into_iter().map(read).collect()
}

/// The parts that all pages share.
struct Runner<'a> {
    workspace: &'a Workspace,
    /// The folder of all pages' folders.
    place: PathBuf,
    /// The folders of the program and of the Python with PyJWT, before those of the machine.
    path: String,
    clients: Clients,
    isolation: Vec<&'static str>,
}

impl<'a> Runner<'a> {
    fn new(workspace: &'a Workspace) -> Result<Self, Failure> {
        let clients = clients::install(workspace)?;
        let target = workspace.target_folder()?;
        let python = clients.python.parent().unwrap_or(Path::new("/"));
        let path = workspace.path_with(&[&target.join(TEST_FOLDER), python])?;
        let place = target.join("docs-run");
        Ok(Self { workspace, place, path, clients, isolation: isolation(workspace)? })
    }

    fn run(&self, reading: &Reading<'_>) -> Result<(), Failure> {
        if reading.iter().all(|page| page.runs() == 0) {
            return Ok(());
        }
        let name = reading::name(reading);
        let folder = self.place.join(name.replace('/', "-"));
        self.prepare(&folder)?;
        let sample = fs::read_to_string(folder.join("config.yaml")).doing("read config.yaml")?;
        let (script, at, log) = (folder.join("page.sh"), folder.join("page.at"), folder.join("page.log"));
        fs::write(&script, script::script(reading, &sample)?).doing("write a script")?;
        let output = fs::File::create(&log).doing("make a log")?;
        let mut command = self.workspace.program("timeout", &["--kill-after=5", LONGEST, "unshare"]);
        command.args(&self.isolation).arg("bash").arg(&script).current_dir(&folder);
        command.env("PATH", &self.path).env("DOCS_RUN_AT", &at).env_remove("LATCHKEY_TOKEN");
        // No other page finds the files that this page stores for its user.
        command.env("HOME", &folder);
        command.stdout(Stdio::from(output.try_clone().doing("make a log")?)).stderr(Stdio::from(output));
        let status = command.status().doing(format_args!("run {name}"))?;
        if status.success() {
            let ran = reading.iter().map(|page| format!("{}: {} blocks", page.path, page.runs()));
            println!("{}", ran.collect::<Vec<_>>().join(", then "));
            return fs::remove_dir_all(&folder).doing("remove a page's folder");
        }
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let at = read(&at);
        let said = read(&log);
        let said = said.rsplit("--- ").next().unwrap_or_default();
        Err(Failure::new(format!("{} failed ({status}) in {}\n{said}", at.trim(), folder.display())))
    }

    /// Fills a new folder like a checkout: the sample, the deployment files, the examples, and packages for
    /// node.
    fn prepare(&self, folder: &Path) -> Result<(), Failure> {
        if folder.exists() {
            fs::remove_dir_all(folder).doing(format_args!("empty {}", folder.display()))?;
        }
        fs::create_dir_all(folder).doing(format_args!("make {}", folder.display()))?;
        let root = &self.workspace.root;
        let copied = [root.join("config.yaml"), root.join("deploy")];
        workspace::run(self.workspace.program("cp", &["-R"]).args(copied).arg(folder))?;
        let docs = folder.join("docs");
        fs::create_dir_all(&docs).doing("make a folder of examples")?;
        workspace::run(self.workspace.program("cp", &["-R"]).arg(root.join("docs/examples")).arg(docs))?;
        let packages = self.clients.node_folder.join("node_modules");
        symlink(packages, folder.join("node_modules")).doing("link the packages for node")
    }
}

/// The options of `unshare` for this user.
fn isolation(workspace: &Workspace) -> Result<Vec<&'static str>, Failure> {
    let ways = [ISOLATED.to_vec(), [&AS_USER[..], &ISOLATED[..]].concat()];
    let works = |way: &Vec<&str>| {
        let up = ["sh", "-c", "ip link set lo up"];
        is_content(workspace.program("unshare", way).args(up))
    };
    ways.into_iter().find(works).ok_or_else(|| {
        Failure::new(
            "each page runs in a network of its own, which this machine refuses (`unshare --net`); run this as root on Linux",
        )
    })
}
