//! The classes of agents that say that they are machines. The build script includes this file too, so what the data file
//! may say and what the Worker knows are one list: a new class is one line here.

use crate::record::named::named;

named! {
    /// What an agent that is no browser of a person is for.
    pub enum AgentClass {
        /// Walks the web by itself: search, archives, AI, SEO, feed readers.
        Crawler = "crawler",
        /// Looks for harm or for holes: mail security, antivirus, link checkers, vulnerability scanners.
        Scanner = "scanner",
        /// Looks whether a page is up or fast.
        Monitor = "monitor",
        /// Fetches a link to show what is behind it, in a chat or a post.
        Preview = "preview",
        /// An HTTP library, a command or a browser under a program's control.
        Library = "library",
        /// The HTTP library of apps on people's phones: the app may well be opening what a person tapped.
        App = "app",
        /// A mail provider's or a site's image proxy: it fetches what a mail shows.
        ImageProxy = "image-proxy",
        /// A mail provider fetches images ahead of the reader, under a browser's name.
        Prefetch = "prefetch",
    }
}
