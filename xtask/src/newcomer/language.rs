//! The commands of a newcomer in each language, after `latchkey serve` and `latchkey tenant add`.

/// A language.
pub(super) struct Language {
    /// The name, which is also the tenant's id.
    pub(super) name: &'static str,
    /// The value of `--snippet`.
    pub(super) snippet: &'static str,
    /// The files that are pasted together from the output: how to fetch a token, and how to verify it.
    pub(super) files: fn(&[String]) -> Vec<(&'static str, String)>,
    /// The commands after that, the last of which fetches a token and verifies it.
    pub(super) commands: &'static [&'static str],
}

/// Fetches the keys of the tenant.
const JWKS: &str =
    "curl -sS -o jwks.json http://localhost:{port}/api/v1/tenant/{tenant}/.well-known/jwks.json";

/// The languages. If one has no code to verify tokens, the command line verifies the printed one.
pub(super) const LANGUAGES: [Language; 8] = [
    Language {
        name: "shell",
        snippet: "none",
        files: |_| Vec::new(),
        commands: &[
            "latchkey login --server http://localhost:{port} --tenant shell --client-id shipping --client-secret-file secret",
            "curl -sS -o jwks.json http://localhost:{port}/api/v1/tenant/shell/.well-known/jwks.json && latchkey token | latchkey inspect --jwks jwks.json",
        ],
    },
    Language {
        name: "js",
        snippet: "js",
        files: |printed| {
            vec![("first.mjs", printed.concat() + "\nconsole.log((await verify(access_token)).sub);\n")]
        },
        commands: &["npm install --silent jose", "CLIENT_SECRET=$(cat secret) node first.mjs"],
    },
    Language {
        name: "python",
        snippet: "python",
        files: |printed| vec![("first.py", printed.concat() + "\nprint(verify(access_token)[\"sub\"])\n")],
        commands: &[
            "python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check requests 'PyJWT[crypto]'",
            "CLIENT_SECRET=$(cat secret) venv/bin/python first.py",
        ],
    },
    Language {
        name: "go",
        snippet: "go",
        files: |printed| {
            // Debian's package of go-oidc has its path without a version.
            let verify =
                printed.get(1).map(|text| text.replace("go-oidc/v3/oidc", "go-oidc")).unwrap_or_default();
            let fetch = printed.first().cloned().unwrap_or_default();
            let main = format!(
                "package main\n\nimport (\n\t\"context\"\n\t\"encoding/json\"\n\t\"fmt\"\n\t\"log\"\n\t\"net/http\"\n\t\"net/url\"\n\t\"os\"\n)\n\n\
                 func main() {{\n{fetch}\n\tclaims, err := Verify(context.Background(), token.AccessToken)\n\
                 \tif err != nil {{\n\t\tlog.Fatal(err)\n\t}}\n\tfmt.Println(claims[\"sub\"])\n}}\n"
            );
            vec![("main.go", main), ("verify.go", format!("package main\n\n{verify}"))]
        },
        commands: &[
            "CLIENT_SECRET=$(cat secret) GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$PWD/cache go run main.go verify.go",
        ],
    },
    Language {
        name: "rust",
        snippet: "rust",
        files: rust,
        commands: &["CLIENT_SECRET=$(cat secret) cargo run --quiet"],
    },
    Language {
        name: "java",
        snippet: "java",
        files: |printed| {
            let imports = "import java.io.*;\nimport java.net.*;\nimport java.net.http.*;\n\
                import java.nio.charset.StandardCharsets;\nimport java.util.regex.Pattern;\n";
            let main = format!(
                "{imports}\nclass First {{\npublic static void main(String[] arguments) throws Exception {{\n{}\n\
                 System.out.println(accessToken);\n}}\n}}\n",
                printed.concat()
            );
            vec![("First.java", main)]
        },
        commands: &[JWKS, "CLIENT_SECRET=$(cat secret) java First.java | latchkey inspect --jwks jwks.json"],
    },
    Language {
        name: "php",
        snippet: "php",
        files: |printed| {
            vec![("first.php", format!("<?php\n{}\necho $access_token, \"\\n\";\n", printed.concat()))]
        },
        commands: &[JWKS, "CLIENT_SECRET=$(cat secret) php first.php | latchkey inspect --jwks jwks.json"],
    },
    Language {
        name: "ruby",
        snippet: "ruby",
        files: |printed| vec![("first.rb", format!("{}\nputs access_token\n", printed.concat()))],
        commands: &[JWKS, "CLIENT_SECRET=$(cat secret) ruby first.rb | latchkey inspect --jwks jwks.json"],
    },
];

fn rust(printed: &[String]) -> Vec<(&'static str, String)> {
    let manifest = "[package]\nname = \"first\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
        jsonwebtoken = { version = \"11\", features = [\"aws_lc_rs\"] }\nreqwest = { version = \"0.13\", features = [\"form\", \"json\"] }\n\
        serde_json = \"1\"\ntokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\n";
    let (fetch, verify) =
        (printed.first().cloned().unwrap_or_default(), printed.get(1).cloned().unwrap_or_default());
    let main = format!(
        "{verify}\n#[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{fetch}\n\
         let claims = verify(access_token.ok_or(\"no token\")?, &fetch_keys().await?)?;\nprintln!(\"{{}}\", claims[\"sub\"]);\nOk(())\n}}\n"
    );
    vec![("Cargo.toml", manifest.to_owned()), ("src/main.rs", main)]
}
