//! Rewriting one section of the catalogue's text: its prefixes, source and date. Everything else stays as people wrote it.

use ipnet::IpNet;

/// The text with the section's prefixes replaced where the first of them stood. A comment behind a prefix goes with it.
pub(crate) fn rewrite(text: &str, section: &str, prefixes: &[IpNet], source: &str, date: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut written) = (false, false);
    for line in text.split_inclusive('\n') {
        let bare = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = bare.strip_prefix('[') {
            inside = header.strip_suffix(']').map(str::trim) == Some(section);
        }
        let setting = line.split_once('=').filter(|_| inside && bare.contains('='));
        match setting.map(|(key, _)| (key, key.trim())) {
            Some((key, "source")) => push_setting(&mut out, key, source),
            Some((key, "date")) => push_setting(&mut out, key, date),
            None if inside && bare.parse::<IpNet>().is_ok() => {
                if !written {
                    for prefix in prefixes {
                        out.push_str(&prefix.to_string());
                        out.push('\n');
                    }
                    written = true;
                }
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// A setting with its key as it stood, spaces and all.
fn push_setting(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    out.push_str("= ");
    out.push_str(value);
    out.push('\n');
}
