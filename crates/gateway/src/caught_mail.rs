//! The mail of a development server. No mail leaves the machine; `/dev/mail` shows the messages.

use std::collections::VecDeque;
use std::sync::Arc;

use pages::CaughtLetter;
use parking_lot::Mutex;

const MOST: usize = 50;

/// The latest messages.
#[derive(Clone, Debug, Default)]
pub struct CaughtMail(Arc<Mutex<VecDeque<CaughtLetter>>>);

impl CaughtMail {
    pub fn keep(&self, letter: CaughtLetter) {
        let mut letters = self.0.lock();
        letters.push_front(letter);
        letters.truncate(MOST);
    }

    /// The newest message comes first.
    pub(crate) fn letters(&self) -> Vec<CaughtLetter> {
        self.0.lock().iter().cloned().collect()
    }
}
