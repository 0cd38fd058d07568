//! A page as a browser without script reads it: its form, and the address of its refresh.

use url::Url;

#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) url: Url,
    pub(super) html: String,
}

/// The only form of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: Url,
    pub(super) hidden: Vec<(String, String)>,
}

impl Page {
    pub(super) fn form(&self) -> Option<Form> {
        let start = tags(&self.html, "form").next()?;
        assert_eq!(attribute(start, "method").as_deref(), Some("post"), "{}", self.html);
        let action = self.url.join(&attribute(start, "action")?).unwrap();
        let inputs = tags(&self.html, "input");
        let hidden = inputs.filter(|tag| attribute(tag, "type").as_deref() == Some("hidden"));
        let hidden = hidden
            .map(|tag| (attribute(tag, "name").unwrap(), attribute(tag, "value").unwrap_or_default()))
            .collect();
        Some(Form { action, hidden })
    }

    /// Returns the address of `<meta http-equiv="refresh">`.
    pub(super) fn refresh(&self) -> Option<Url> {
        let mut metas = tags(&self.html, "meta");
        let refresh = metas.find(|tag| attribute(tag, "http-equiv").as_deref() == Some("refresh"))?;
        let content = attribute(refresh, "content").unwrap();
        Some(Url::parse(content.strip_prefix("0;url=").unwrap()).unwrap())
    }

    pub(super) fn asks_for_password(&self) -> bool {
        tags(&self.html, "input").any(|tag| attribute(tag, "name").as_deref() == Some("password"))
    }

    /// The value in the field for the identifier.
    pub(super) fn identifier(&self) -> String {
        let mut inputs = tags(&self.html, "input");
        let field = inputs.find(|tag| attribute(tag, "name").as_deref() == Some("identifier"));
        attribute(field.unwrap(), "value").unwrap()
    }

    pub(super) fn has_button(&self, value: &str) -> bool {
        tags(&self.html, "button").any(|tag| attribute(tag, "value").as_deref() == Some(value))
    }

    pub(super) fn heading(&self) -> &str {
        let (_, after) = self.html.split_once("<h1>").unwrap();
        after.split_once("</h1>").unwrap().0
    }
}

/// The opening tags with this name.
fn tags<'h>(html: &'h str, name: &str) -> impl Iterator<Item = &'h str> {
    let start = format!("<{name} ");
    let places: Vec<_> = html.match_indices(&start).map(|(at, _)| at).collect();
    places.into_iter().map(move |at| html[at..].split_once('>').unwrap().0)
}

/// Returns the decoded value of an attribute. Pages of the provider always escape `>` in values.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    let value = after.split_once('"').unwrap().0;
    let entities = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    let known = [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let all = entities.iter().chain(&known);
    Some(all.fold(value.to_owned(), |text, (entity, character)| text.replace(entity, character)))
}

#[test]
fn form_and_refresh_are_read_from_a_page() {
    let html = "<h1>Sign in</h1><meta http-equiv=\"refresh\" content=\"0;url=https://c.example/?a=b&#38;c=d\">\
                <form method=\"post\" action=\"/oauth/sign-in\"><input type=\"hidden\" name=\"flow\" value=\"&#34;x\">\
                <input id=\"identifier\" name=\"identifier\" type=\"text\" value=\"ada\">";
    let page = Page { status: 200, url: Url::parse("https://id.example/a").unwrap(), html: html.to_owned() };
    let form = page.form().unwrap();
    assert_eq!(form.action.as_str(), "https://id.example/oauth/sign-in");
    assert_eq!(form.hidden, [("flow".to_owned(), "\"x".to_owned())]);
    assert_eq!(page.refresh().unwrap().as_str(), "https://c.example/?a=b&c=d");
    assert_eq!((page.identifier().as_str(), page.heading()), ("ada", "Sign in"));
    assert!(!page.asks_for_password());
}
