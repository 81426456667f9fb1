//! `/`: for whoever cuts a link down to its host. An operator's own page, in `static/site/`, comes before it; without either it
//! says what the host is ([`super::visitor`]).

use super::answer::{Answer, NO_STORE};
use crate::config::Config;

/// Leads to the sender's own site, where the settings name it.
pub(super) fn away(config: &Config) -> Option<Answer> {
    let url = config.home_url.clone()?;
    let headers = vec![("location", url.into()), ("cache-control", NO_STORE.into())];
    Some(Answer { status: 302, headers, body: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    #[test]
    fn it_leads_home_where_there_is_one() {
        assert_eq!(away(&Config::read([])), None);
        let home = Value::Text("https://brand.example/".to_owned());
        let away = away(&Config::read([("HOME_URL".to_owned(), home)])).unwrap();
        assert_eq!((away.status, away.header("location")), (302, Some("https://brand.example/")));
        assert_eq!(away.header("cache-control"), Some("no-store, private"));
    }
}
