//! What became of a recipient's mail: it was delivered, it bounced, or both, in whichever order its sender hears of it.

use super::Record;

/// What is known of a mail's delivery; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// When it was delivered, Unix milliseconds.
    pub delivered_at_ms: Option<i64>,
    /// When it came back, Unix milliseconds.
    pub bounced_at_ms: Option<i64>,
}

impl Delivery {
    /// What it says, and what it does not say of another that is older news.
    #[must_use]
    pub fn or(self, older: Self) -> Self {
        Self {
            delivered_at_ms: self.delivered_at_ms.or(older.delivered_at_ms),
            bounced_at_ms: self.bounced_at_ms.or(older.bounced_at_ms),
        }
    }

    /// Whether nobody has the mail: it came back, and no later try went through.
    #[must_use]
    pub fn is_bounced(self) -> bool {
        self.bounced_at_ms.is_some_and(|bounced_ms| self.delivered_at_ms.is_none_or(|ms| ms <= bounced_ms))
    }
}

impl Record {
    /// What the record itself knows of its mail.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        Delivery { delivered_at_ms: self.delivered_at_ms, bounced_at_ms: self.bounced_at_ms }
    }

    /// Takes in what was told of its mail later.
    pub fn learn(&mut self, told: Delivery) {
        let Delivery { delivered_at_ms, bounced_at_ms } = told.or(self.delivery());
        (self.delivered_at_ms, self.bounced_at_ms) = (delivered_at_ms, bounced_at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(delivered_at_ms: Option<i64>, bounced_at_ms: Option<i64>) -> Delivery {
        Delivery { delivered_at_ms, bounced_at_ms }
    }

    #[test]
    fn a_mail_that_came_back_is_bounced_until_a_later_try_goes_through() {
        for (delivered, bounced, is_bounced) in [
            (None, None, false),
            (Some(5), None, false),
            (None, Some(5), true),
            (Some(4), Some(5), true),
            (Some(5), Some(5), true),
            (Some(6), Some(5), false),
        ] {
            assert_eq!(known(delivered, bounced).is_bounced(), is_bounced, "{delivered:?} {bounced:?}");
        }
    }

    #[test]
    fn later_news_of_one_leaves_the_other() {
        let mut record = Record { delivered_at_ms: Some(1), ..Record::default() };
        record.learn(known(None, Some(2)));
        assert_eq!(record.delivery(), known(Some(1), Some(2)));
        record.learn(known(Some(3), None));
        assert_eq!(record.delivery(), known(Some(3), Some(2)));
    }
}
