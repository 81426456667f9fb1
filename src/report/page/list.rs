//! The list of sends: what each would be said to have reached, and what it did.

use super::super::figures::Report;
use super::frame;
use super::html::Html;
use super::plot;

/// One send, as a row of [`list`].
#[must_use]
pub fn row(report: &Report) -> String {
    let mut html = Html::default();
    html.raw("<tr><th scope=\"row\"><a href=\"/report/").encoded(&report.message_id).raw("\">");
    html.text(report.title.as_deref().unwrap_or(&report.message_id)).raw("</a><small>");
    match report.first_ms {
        Some(first_ms) => html.time(first_ms),
        None => html.raw("nothing yet"),
    };
    if let Some(sent) = report.sent {
        html.raw(" · ").count(sent).raw(" sent");
    }
    html.raw(" · ").count(report.clicks).raw(" clicks</small>");
    plot::line(&mut html, 6, report.human_clicks, report.clicks, report.clicks);
    for (class, count, unit) in
        [("", report.clicks, "clicks"), (" class=\"hm\"", report.human_recipients, "people")]
    {
        html.raw("<td").raw(class).raw(">");
        match report.sent.filter(|sent| *sent > 0) {
            Some(sent) => html.percent(count, sent),
            // Without what it is a share of, the number itself.
            None => html.count(count).raw("<small>").raw(unit).raw("</small>"),
        };
    }
    html.raw("<td>").percent(report.clicks - report.human_clicks, report.clicks).raw("\n");
    html.0
}

/// The page of some sends, the newest first; `next` is where the page with older ones begins.
#[must_use]
pub fn list(rows: &[String], next: Option<&str>) -> String {
    let mut html = frame::begin("Messages");
    html.raw("<h1>Messages</h1>\n");
    if rows.is_empty() {
        html.raw(if next.is_none() {
            "<p>No message has a click yet. Mint links with <code>POST /v1/links</code> or <code>clickproof rewrite</code> and \
             send them; each message stands here from its first click on, or once you have told of it with <code>PUT \
             /v1/messages/{message_id}</code>.\n</header>\n<main>\n"
        } else {
            "<p>Nothing of this page is left.\n</header>\n<main>\n"
        });
    } else {
        html.raw(
            "<p class=\"soft\">The newest first; times are UTC. The first rate is a naive tracker’s, clicks by mails sent; the \
             second is people’s, recipients who clicked themselves by mails sent.\n</header>\n<main>\n<section>\n",
        );
        html.head(&["Message", "As counted", "People", "Machines’ share of clicks"]);
        for row in rows {
            html.raw(row);
        }
        html.raw("</table>\n</section>\n");
    }
    if let Some(next) = next {
        html.raw("<nav class=\"older\"><a rel=\"next\" href=\"/report?after=")
            .encoded(next)
            .raw("\">Older messages</a></nav>\n");
    }
    frame::end(html)
}
