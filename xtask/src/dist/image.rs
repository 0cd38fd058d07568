//! The context of an image with the released program: `docker build` compiles nothing. Unpacked into one
//! folder, the contexts of several architectures are the context of an image for all of them.

use std::fs;

use super::program::Program;
use super::stage::Stage;
use super::{Release, pack};
use crate::workspace::{Doing, Failure, Workspace, run};

pub(super) fn write(workspace: &Workspace, program: &Program, release: &Release) -> Result<(), Failure> {
    let built = fs::read_to_string(workspace.root.join("deploy/Dockerfile")).doing("read the Dockerfile")?;
    let stage = Stage::new(release.folder.join("image"));
    stage.add("Dockerfile", dockerfile(&built)?.as_bytes(), 0o644)?;
    stage.add(&format!("{}/latchkey", release.architecture.debian), &program.bytes, 0o755)?;
    for folder in ["state", "keys"] {
        stage.add_folder(folder)?;
    }
    pack(workspace, release, &stage, ".", &name(release))
}

pub(super) fn name(release: &Release) -> String {
    release.name("image.tar.gz", "-")
}

/// Runs the steps of the context's Dockerfile, and starts the program as the image does.
pub(super) fn check(workspace: &Workspace, release: &Release) -> Result<(), Failure> {
    let context = release.folder.join(name(release));
    run(workspace.program("bash", &["deploy/docker-check.sh"]).arg(context))
}

/// The last stage of `deploy/Dockerfile`, which copies from the context instead of from the first stage. The
/// engine sets `TARGETARCH` to Debian's name of the architecture.
fn dockerfile(built: &str) -> Result<String, Failure> {
    let last = built.rfind("\nFROM ").map_or("", |place| &built[place + 1..]);
    let (base, steps) =
        last.split_once('\n').ok_or_else(|| Failure::new("deploy/Dockerfile has no stage FROM"))?;
    let steps = steps.replace("--from=build ", "").replace("/build/out/bin/", "${TARGETARCH}/");
    Ok(format!("{base}\nARG TARGETARCH\n{}", steps.replace("/build/out/", "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerfile_copies_only_from_the_context() {
        let text = dockerfile(include_str!("../../../deploy/Dockerfile")).unwrap();
        let copied: Vec<&str> = text.lines().filter(|line| line.starts_with("COPY ")).collect();
        assert_eq!(
            copied,
            [
                "COPY ${TARGETARCH}/latchkey /usr/local/bin/latchkey",
                "COPY --chown=65532:65532 state /var/lib/latchkey",
                "COPY --chown=65532:65532 keys /var/lib/latchkey-keys",
            ]
        );
        assert!(text.starts_with("FROM gcr.io/distroless/"), "{text}");
        assert!(!text.contains("build") && !text.contains("\nRUN "), "{text}");
    }
}
