//! Where all ends that leaves: the bucket as the consumer fills it, and the acts that senders were told.

use std::collections::BTreeMap;

use clickproof::event::parcel::{Letter, Parcel};
use serde_json::Value;

use super::world::World;

/// What has left a message.
#[derive(Default)]
pub struct Bucket {
    /// Objects by their keys.
    pub objects: BTreeMap<String, String>,
    /// Bodies of webhooks.
    pub acts: Vec<String>,
}

impl Bucket {
    pub fn take(&mut self, letter: &Letter) {
        match letter.open().unwrap() {
            Parcel::Pack { key, lines, .. } => _ = self.objects.insert(key, lines.into_owned()),
            Parcel::Blank { keys } => {
                self.objects.extend(keys.lines().map(|key| (key.to_owned(), String::new())));
            }
            Parcel::Act { body, .. } => self.acts.push(body.to_owned()),
        }
    }

    /// What an alarm does.
    pub fn alarm(&mut self, world: &mut World, now_ms: i64) {
        world.settle(now_ms);
        for letter in world.ship(now_ms) {
            self.take(&letter);
        }
    }

    /// Wakes the message whenever it wants to be, up to a moment.
    pub fn run_until(&mut self, world: &mut World, until_ms: i64) {
        let mut now_ms = 0;
        while let Some(wake_ms) = world.message().wake_ms(now_ms).filter(|wake_ms| *wake_ms <= until_ms) {
            now_ms = now_ms.max(wake_ms);
            self.alarm(world, now_ms);
        }
    }

    /// Of every event in it the latest revision, by its id.
    pub fn events(&self, event: &str) -> BTreeMap<String, Value> {
        let mut events: BTreeMap<String, Value> = BTreeMap::new();
        for line in self.objects.values().flat_map(|lines| lines.lines()) {
            let line: Value = serde_json::from_str(line).unwrap();
            let id = line["event_id"].as_str().unwrap().to_owned();
            let is_later =
                events.get(&id).is_none_or(|known| known["revision"].as_u64() < line["revision"].as_u64());
            if line["event"] == event && is_later {
                events.insert(id, line);
            }
        }
        events
    }

    /// Whether a text stands anywhere in it.
    pub fn says(&self, text: &str) -> bool {
        self.objects.values().any(|lines| lines.contains(text))
    }
}
