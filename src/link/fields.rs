//! Objects of requests and of a command's lines, read field by field.

use crate::json::Json;

/// A JSON object of a request's body, read field by field; errors name the field with its path.
pub struct Fields<'a> {
    object: &'a Json<'a>,
    path: String,
}

impl<'a> Fields<'a> {
    /// The object at a path; an empty one is the body itself.
    ///
    /// # Errors
    /// That it is no object.
    pub fn new(value: &'a Json<'a>, path: &str) -> Result<Self, String> {
        let what = if path.is_empty() { "the body" } else { path };
        if value.fields().is_none() {
            return Err(format!("{what}: must be a JSON object"));
        }
        Ok(Self { object: value, path: path.to_owned() })
    }

    /// The path of a field.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A field's value, where it has one; null is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a Json<'a>> {
        Some(self.object.get(name)).filter(|value| **value != Json::Null)
    }

    /// Refuses fields of other names, and names that stand twice ([`Json::only`]).
    ///
    /// # Errors
    /// The first such name, and those that there are.
    pub fn only(&self, known: &[&str]) -> Result<(), String> {
        self.object.only(&self.path(""), known)
    }

    /// A field that must hold an identifier.
    ///
    /// # Errors
    /// That it is missing, no string, or what the check says.
    pub fn id<E: std::fmt::Display>(
        &self,
        name: &str,
        check: fn(&str) -> Result<(), E>,
    ) -> Result<String, String> {
        let id = self
            .get(name)
            .ok_or_else(|| format!("{}: missing", self.path(name)))?
            .text()
            .ok_or_else(|| format!("{}: must be a string", self.path(name)))?;
        check(id).map_err(|error| format!("{}: {error}", self.path(name)))?;
        Ok(id.to_owned())
    }
}
