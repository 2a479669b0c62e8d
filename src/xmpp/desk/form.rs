//! Forms: fields out, values back.

use minidom::Element;

use crate::xmpp::ns;
use crate::xmpp::stanza::{element, text};

/// One field, with what stands in it.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub var: &'static str,
    /// What people see beside it.
    pub label: String,
    /// Its type (XEP-0004 §3.3).
    pub kind: Kind,
    /// What is in it.
    pub value: String,
}

/// What a field is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A line of text.
    Line,
    /// A line that is not shown while it is typed.
    Private,
    /// One of these values, each with what people see.
    Choice(Vec<(&'static str, String)>),
    /// A person.
    Jid,
}

/// A form to be filled in.
///
/// Source: XEP-0004 §3.2, XEP-0068 §3.1 (`FORM_TYPE`).
pub fn form(title: &str, instructions: &str, form_type: &str, fields: &[Field]) -> Element {
    let mut form = element("x", ns::DATA_FORMS, &[("type", "form")]);
    form.append_child(text("title", ns::DATA_FORMS, title));
    form.append_child(text("instructions", ns::DATA_FORMS, instructions));
    let mut hidden = element("field", ns::DATA_FORMS, &[("var", "FORM_TYPE"), ("type", "hidden")]);
    hidden.append_child(text("value", ns::DATA_FORMS, form_type));
    form.append_child(hidden);
    for field in fields {
        form.append_child(to_element(field));
    }
    form
}

fn to_element(field: &Field) -> Element {
    let kind = match &field.kind {
        Kind::Line => "text-single",
        Kind::Private => "text-private",
        Kind::Choice(_) => "list-single",
        Kind::Jid => "jid-single",
    };
    let attributes = [("var", field.var), ("type", kind), ("label", field.label.as_str())];
    let mut shown = element("field", ns::DATA_FORMS, &attributes);
    if !field.value.is_empty() || matches!(field.kind, Kind::Line) {
        shown.append_child(text("value", ns::DATA_FORMS, &field.value));
    }
    if let Kind::Choice(choices) = &field.kind {
        for (value, label) in choices {
            let mut option = element("option", ns::DATA_FORMS, &[("label", label)]);
            option.append_child(text("value", ns::DATA_FORMS, value));
            shown.append_child(option);
        }
    }
    shown
}

/// What was filled in. A field that is left out, or comes twice, has no value.
#[derive(Debug, Default)]
pub struct Submitted(Vec<(String, String)>);

impl Submitted {
    /// Reads the form within this element, if there is one that is filled in.
    pub fn within(parent: &Element) -> Option<Self> {
        let form = parent.get_child("x", ns::DATA_FORMS)?;
        (form.attr("type") == Some("submit")).then(|| {
            let fields = form.children().filter(|child| child.is("field", ns::DATA_FORMS));
            Self(fields.take(FIELDS_MAX).filter_map(value).collect())
        })
    }

    /// What stands in a field, without blanks around it.
    pub fn get(&self, var: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(name, _)| name == var);
        let (first, second) = (found.next()?, found.next());
        second.is_none().then_some(first.1.trim())
    }
}

fn value(field: &Element) -> Option<(String, String)> {
    let var = field.attr("var")?.to_owned();
    let value = field.get_child("value", ns::DATA_FORMS).map(Element::text).unwrap_or_default();
    Some((var, value))
}

const FIELDS_MAX: usize = 32;
