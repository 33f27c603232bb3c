//! Keeps the certificate of `[acme]` good: gets it, puts it in force, and gets another one before it ends.

use std::sync::Arc;
use std::time::Duration;

use crate::acme::due::due;
use crate::acme::order::obtain;
use crate::acme::place;
use crate::acme::proof::Stage;
use crate::acme::{AcmeError, Settings};
use crate::clock::Clock;

/// How often the certificate is looked at: no more than this much of its time is lost when the clock is set.
const LOOK: Duration = Duration::from_secs(3600);
/// The pause after a first failure; it doubles with each. Authorities count failures by the hour.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// Goes on for as long as the server runs.
pub async fn keep(settings: Settings, stage: Stage, clock: Arc<dyn Clock>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let due = due(&place::certificate(&settings.folder), &settings.names);
        let left = due.seconds().saturating_sub(clock.now().seconds());
        if let Ok(left @ 1..) = u64::try_from(left) {
            tokio::time::sleep(Duration::from_secs(left).min(LOOK)).await;
            continue;
        }
        match renew(&settings, &stage, &*clock).await {
            Ok(()) => {
                tracing::info!(
                    directory = settings.directory,
                    "a certificate came from the ACME authority and is in force"
                );
                pause = FIRST_PAUSE;
            }
            Err(error) => {
                let again = pause.as_secs();
                tracing::error!(%error, "no certificate from the ACME authority; trying again in {again} s");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LOOK);
            }
        }
    }
}

async fn renew(settings: &Settings, stage: &Stage, clock: &dyn Clock) -> Result<(), AcmeError> {
    obtain(settings, stage).await?;
    for store in &stage.stores {
        store.reload_if_changed()?;
    }
    // Or it would be ordered again, and again.
    let due = due(&place::certificate(&settings.folder), &settings.names);
    if due <= clock.now() { Err(AcmeError::OfNoUse) } else { Ok(()) }
}
