//! What the stories stand on: processes, clients, images, and who asks.

pub(crate) mod aws;
pub(crate) mod certificate;
pub(crate) mod client;
pub(crate) mod crowd;
pub(crate) mod hook;
pub(crate) mod hosts;
pub(crate) mod http;
pub(crate) mod http2;
pub(crate) mod image;
pub(crate) mod in_process;
pub(crate) mod issuer;
pub(crate) mod portcullis;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod recorder;
pub(crate) mod registry;
pub(crate) mod road;
pub(crate) mod robot;
pub(crate) mod sdk;
pub(crate) mod wait;
pub(crate) mod who;
