//! Tests clients that other tools generate from the served OpenAPI document. The clients create two tenants
//! in the running program.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::first_administrator;
use crate::folder::Folder;
use crate::foreign::{installed, run_in};
use crate::host::{LONGEST, Ran};
use crate::program::Program;
use crate::settings::TWO_TENANTS;

/// The strictest options of the compiler.
const TSCONFIG: &str = r#"{
  "compilerOptions": {
    "strict": true, "noUncheckedIndexedAccess": true, "exactOptionalPropertyTypes": true, "noImplicitReturns": true,
    "target": "ES2022", "module": "NodeNext", "moduleResolution": "NodeNext", "lib": ["ES2022", "DOM", "DOM.Iterable"], "types": []
  },
  "files": ["onboarding.ts"]
}"#;

/// A running program with its first administrator, and a folder for the generated client.
struct Onboarding {
    folder: Folder,
    program: Program,
    secret: String,
}

impl Onboarding {
    /// Starts the program, and stores the served document in `openapi.json`.
    async fn start() -> Self {
        let (folder, program) = Program::serving(TWO_TENANTS);
        let secret = first_administrator(&folder, &program).await;
        let onboarding = Self { folder, program, secret };
        onboarding.write("openapi.json", &onboarding.program.get("/openapi.json").await.body);
        onboarding
    }

    /// Writes a file without secrets.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path(name), text).unwrap();
    }

    fn run(&self, command: &mut Command) -> Ran {
        command.env("BASE", self.program.url("")).env("ADMIN_ID", "admin").env("ADMIN_SECRET", &self.secret);
        run_in(command, &self.folder.path(""), LONGEST)
    }
}

#[tokio::test]
async fn typescript_client_compiles_and_onboards_two_tenants() {
    let onboarding = Onboarding::start().await;
    let folder = &onboarding.folder;
    let packages = installed("LATCHKEY_TEST_OPENAPI_NODE_DIR").join("node_modules");
    std::os::unix::fs::symlink(&packages, folder.path("node_modules")).unwrap();
    onboarding.write("package.json", r#"{ "type": "module" }"#);
    onboarding.write("tsconfig.json", TSCONFIG);
    onboarding.write("onboarding.ts", include_str!("scripts/onboarding.ts"));
    let node = |script: &Path, arguments: &[&str]| {
        onboarding.run(Command::new("node").arg(script).args(arguments)).output()
    };
    node(&packages.join("openapi-typescript/bin/cli.js"), &["openapi.json", "--output", "api.d.ts"]);
    node(&packages.join("typescript/bin/tsc"), &[]);
    assert_eq!(node(&folder.path("onboarding.js"), &[]), "onboarded\n");
}

#[tokio::test]
async fn python_client_is_generated_and_onboards_two_tenants() {
    let onboarding = Onboarding::start().await;
    let python = |arguments: &[&str]| {
        onboarding.run(Command::new(installed("LATCHKEY_TEST_OPENAPI_PYTHON")).args(arguments)).output()
    };
    // No formatter checks the generated code. The generator knows no type for the text of the revocation
    // feed, for the lines of an import and for logos.
    let bytes = ["application/x-ndjson", "image/png", "image/jpeg", "image/webp"];
    let bytes = bytes.map(|media_type| format!("{media_type}: application/octet-stream"));
    let overrides = format!("application/jwt: text/plain, {}", bytes.join(", "));
    let generator = format!("post_hooks: []\ncontent_type_overrides: {{ {overrides} }}\n");
    onboarding.write("generator.yaml", &generator);
    let generate = "generate --path openapi.json --config generator.yaml --meta none --output-path latchkey_api --fail-on-warning";
    let arguments: Vec<_> = ["-m", "openapi_python_client"].into_iter().chain(generate.split(' ')).collect();
    python(&arguments);
    onboarding.write("onboarding.py", include_str!("scripts/onboarding.py"));
    assert_eq!(python(&["onboarding.py"]), "onboarded\n");
}
