//! Sessions: a person's session at one tenant, the cookie that identifies it, and the sealed state of a
//! sign-in in progress. In reading order:

mod flow;
mod known_browser;

mod ring;
mod session;
mod session_id;
mod session_token;

mod judge;
mod sessions;
mod store;

pub use flow::{DeviceStep, Flow, FlowError, FlowStep, Flows, PersonRequest, RecoveryStep};
pub use known_browser::{KnownBrowser, KnownBrowsers};
pub use ring::Ring;
pub use session::{Session, SignedIn};
pub use session_id::{InvalidSessionId, SessionId};
pub use session_token::SessionToken;
pub use sessions::{Sessions, SignInBrowser};
pub use store::{FoundSession, SessionStore, SessionWrite};
