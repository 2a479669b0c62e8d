//! Reading data forms that clients submit. Forms that we send are built with `xmpp_parsers::data_forms`.

use minidom::Element;

use crate::xmpp::ns;

/// The values of a submitted form. A field that is missing, or comes twice, has no value.
#[derive(Debug, Default)]
pub struct Submitted(Vec<(String, String)>);

impl Submitted {
    /// Reads the submitted form within this element; `None` if there is none.
    ///
    /// Source: XEP-0004 §3.2.
    pub fn within(parent: &Element) -> Option<Self> {
        let form = parent.get_child("x", ns::DATA_FORMS)?;
        (form.attr("type") == Some("submit")).then(|| {
            let fields = form.children().filter(|child| child.is("field", ns::DATA_FORMS));
            Self(fields.take(FIELDS_MAX).filter_map(value).collect())
        })
    }

    /// The value of a field, without blanks around it.
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
