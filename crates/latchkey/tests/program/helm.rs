//! Renders the chart in `deploy/helm` and checks that the program accepts the resulting YAML. The renderer
//! here only implements the constructs of the chart, and panics at all others. `cargo xtask ci --full`
//! compares it with Helm, and lints the chart.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::foreign::installed;
use crate::host::run;

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/helm/latchkey")
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// Renders the chart with these changes of its values. Returns one document for each template that is not
/// empty.
fn render(changes: &[(&str, Value)]) -> Vec<Value> {
    let values = values(changes);
    let about = yaml(&fs::read_to_string(chart().join("Chart.yaml")).unwrap());
    let scope = json!({ "Values": values, "Release": { "Name": "id" }, "Chart": { "AppVersion": about["appVersion"] } });
    let mut templates: Vec<PathBuf> =
        fs::read_dir(chart().join("templates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    templates.sort();
    let texts = templates.iter().map(|path| filled(&fs::read_to_string(path).unwrap(), &scope));
    texts.filter(|text| !text.trim().is_empty()).map(|text| yaml(&text)).collect()
}

/// The values of the chart with these changes.
fn values(changes: &[(&str, Value)]) -> Value {
    let mut values = yaml(&fs::read_to_string(chart().join("values.yaml")).unwrap());
    for (path, value) in changes {
        let pointer = format!("/{}", path.replace('.', "/"));
        *values.pointer_mut(&pointer).unwrap_or_else(|| panic!("no value {path}")) = value.clone();
    }
    values
}

/// Fills in values. Conditions must be on separate lines.
fn filled(template: &str, scope: &Value) -> String {
    let (mut text, mut conditions) = (String::new(), Vec::new());
    for line in template.lines() {
        let action = line.trim().strip_prefix("{{- ").and_then(|rest| rest.strip_suffix(" }}"));
        match action {
            Some("end") => drop(conditions.pop().expect("an `if` before `end`")),
            Some(action) if action.starts_with("if not ") => {
                conditions.push(!is_true(&looked_up(&action["if not ".len()..], scope)));
            }
            Some(action) if action.starts_with("if ") => {
                conditions.push(is_true(&looked_up(&action["if ".len()..], scope)));
            }
            _ if conditions.contains(&false) => {}
            _ => text.push_str(&(inserted(line, scope) + "\n")),
        }
    }
    assert!(conditions.is_empty(), "an `if` has no `end`");
    text
}

fn inserted(line: &str, scope: &Value) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").expect("}}");
        text.push_str(before);
        text.push_str(&value_of(action.trim_start_matches('-').trim(), scope));
        rest = after;
    }
    text + rest
}

fn value_of(action: &str, scope: &Value) -> String {
    let mut steps = action.split('|').map(str::trim);
    let first = steps.next().unwrap();
    if let Some(path) = first.strip_prefix("toYaml ") {
        let indent: usize =
            steps.next().and_then(|step| step.strip_prefix("nindent ")).unwrap().parse().unwrap();
        // JSON is also YAML.
        return format!("\n{}{}", " ".repeat(indent), looked_up(path, scope));
    }
    if let Some((number, path)) = first.strip_prefix("add ").and_then(|sum| sum.split_once(' ')) {
        let number: i64 = number.parse().unwrap();
        return (number + looked_up(path, scope).as_i64().unwrap()).to_string();
    }
    let mut value = looked_up(first, scope);
    for step in steps {
        value = match step.strip_prefix("default ") {
            Some(other) if is_true(&value) => drop_unused(other, value, scope),
            Some(other) => looked_up(other, scope),
            None if step == "quote" => Value::String(value.to_string()),
            None => panic!("the renderer does not know `{step}`"),
        };
    }
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Checks that the path after `default` exists, even if its value is not used.
fn drop_unused(path: &str, value: Value, scope: &Value) -> Value {
    looked_up(path, scope);
    value
}

fn looked_up(path: &str, scope: &Value) -> Value {
    let pointer = path.replace('.', "/");
    scope
        .pointer(&pointer)
        .unwrap_or_else(|| panic!("the chart reads {path}, which values.yaml lacks"))
        .clone()
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
        && *value != json!(0)
        && *value != json!("")
        && *value != json!([])
        && *value != json!({})
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents.iter().filter(|document| document["kind"] == kind).collect()
}

#[test]
fn chart_has_all_objects_for_a_cluster() {
    let documents = render(&[]);
    let mut kinds: Vec<&str> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    let expected =
        "ConfigMap Deployment HorizontalPodAutoscaler NetworkPolicy PodDisruptionBudget Service Service";
    assert_eq!(kinds.join(" "), expected);
    // The autoscaler sets the number of replicas.
    assert_eq!(of_kind(&documents, "Deployment")[0]["spec"]["replicas"], Value::Null);

    let parts = ["autoscaling.enabled", "podDisruptionBudget.enabled", "networkPolicy.enabled"];
    let off = render(&parts.map(|part| (part, json!(false))));
    assert_eq!(of_kind(&off, "Deployment")[0]["spec"]["replicas"], json!(2));
    for kind in ["HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget"] {
        assert!(of_kind(&off, kind).is_empty(), "{kind}");
    }
}

/// Ports, paths, user and timeouts are those of the image and the program.
#[test]
fn pod_matches_the_image() {
    let documents = render(&[("image.tag", json!("1.2.3"))]);
    let deployment = of_kind(&documents, "Deployment")[0];
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["image"], "latchkey:1.2.3");
    assert_eq!(pod["terminationGracePeriodSeconds"], json!(35));
    assert_eq!(container["lifecycle"], Value::Null);
    let slow = render(&[("preStopSeconds", json!(20))]);
    let slow = &of_kind(&slow, "Deployment")[0]["spec"]["template"]["spec"];
    assert_eq!(slow["terminationGracePeriodSeconds"], json!(55));
    assert_eq!(slow["containers"][0]["lifecycle"]["preStop"], json!({ "sleep": { "seconds": 20 } }));
    let user = &pod["securityContext"];
    assert_eq!((&user["runAsUser"], &user["runAsNonRoot"]), (&json!(65532), &json!(true)));
    let security = &container["securityContext"];
    assert_eq!(security["readOnlyRootFilesystem"], json!(true));
    assert_eq!(security["allowPrivilegeEscalation"], json!(false));
    assert_eq!(security["capabilities"]["drop"], json!(["ALL"]));
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/latchkey");
    for (probe, path) in [("livenessProbe", "live"), ("readinessProbe", "ready"), ("startupProbe", "live")] {
        let expected = json!({ "path": format!("/health/{path}"), "port": "public" });
        assert_eq!(container[probe]["httpGet"], expected);
    }
    // Services, budget, policy and deployment select the same pods.
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let selectors = documents.iter().filter_map(|document| {
        let spec = &document["spec"];
        let found =
            [&spec["selector"]["matchLabels"], &spec["podSelector"]["matchLabels"], &spec["selector"]];
        found.into_iter().find(|selector| selector.is_object())
    });
    assert_eq!(selectors.inspect(|selector| assert_eq!(*selector, labels)).count(), 5);
    let ports = container["ports"].as_array().unwrap();
    let listeners = yaml(of_kind(&documents, "ConfigMap")[0]["data"]["config.yaml"].as_str().unwrap());
    for (port, listener) in ports.iter().zip(listeners["server"]["listeners"].as_array().unwrap()) {
        let address = listener["address"].as_str().unwrap();
        assert!(address.ends_with(&format!(":{}", port["containerPort"])), "{port}");
        assert_eq!(listener["serves"], json!([port["name"]]));
    }
    // A drain stops one pod at a time, also the only one.
    let budget = &of_kind(&documents, "PodDisruptionBudget")[0]["spec"];
    assert_eq!((&budget["maxUnavailable"], &budget["minAvailable"]), (&json!(1), &Value::Null));
    let spread = pod["topologySpreadConstraints"].as_array().unwrap().iter();
    let over: Vec<_> = spread.map(|constraint| &constraint["topologyKey"]).collect();
    assert_eq!(over, ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]);
    let policy = of_kind(&documents, "NetworkPolicy")[0];
    let ingress = policy["spec"]["ingress"].as_array().unwrap();
    assert_eq!(ingress.iter().map(|rule| &rule["ports"][0]["port"]).collect::<Vec<_>>(), ["public", "admin"]);
}

/// Replaces the text of the settings by its content.
fn with_settings(mut document: Value) -> Value {
    if let Some(settings) = document.pointer_mut("/data/config.yaml") {
        *settings = yaml(settings.as_str().unwrap());
    }
    document
}

/// The Python package has the library of Helm.
#[test]
fn helm_renders_the_same() {
    const SCRIPT: &str = "
import helm_python as helm, json, sys
# 2 is a warning, 1 the advice to have an icon.
lint = [found for found in helm.lint(sys.argv[1], strict=True)['messages'] if found['severity'] > 1]
with helm.Chart.load(sys.argv[1]) as chart:
    cases = [chart.render(values, name='id', namespace='default') for values in json.loads(sys.argv[2])]
print(json.dumps({'lint': lint, 'cases': [[text for _, text in sorted(case.items())] for case in cases]}))
";
    let off = ["autoscaling.enabled", "podDisruptionBudget.enabled", "networkPolicy.enabled"];
    let off = off.map(|part| (part, json!(false)));
    let slow =
        [("preStopSeconds", json!(20)), ("image.tag", json!("1.2.3")), ("nodeSelector", json!({ "a": "b" }))];
    let cases: [&[(&str, Value)]; 3] = [&[], &off, &slow];
    let mut helm = Command::new(installed("LATCHKEY_TEST_HELM_PYTHON"));
    helm.args(["-c", SCRIPT]).arg(chart()).arg(json!(cases.map(values)).to_string());
    let rendered: Value = serde_json::from_str(&run(&mut helm).output()).unwrap();
    assert_eq!(rendered["lint"], json!([]));
    for (case, texts) in cases.iter().zip(rendered["cases"].as_array().unwrap()) {
        let texts = texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap());
        let texts: Vec<Value> = texts.filter(|text| !text.trim().is_empty()).map(yaml).collect();
        let [texts, expected] =
            [texts, render(case)].map(|documents| documents.into_iter().map(with_settings));
        assert_eq!(texts.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{case:?}");
    }
}

#[test]
fn settings_of_the_chart_are_valid() {
    let documents = render(&[]);
    let config = of_kind(&documents, "ConfigMap")[0]["data"]["config.yaml"].as_str().unwrap();
    let folder = Folder::with(config);
    let key = folder.run(&["key", "new-sealing-key"]).output();
    let mut command = folder.program(&["check"]);
    command.env("LATCHKEY_SEALING_KEY", key.trim());
    command.env("LATCHKEY__STORAGE__URL", "postgres://latchkey:password@postgres:5432/latchkey");
    run(&mut command).output();
}
