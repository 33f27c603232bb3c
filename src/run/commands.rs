//! The commands that run a server or prepare one.

use std::cell::RefCell;
use std::io::Write;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::failure::{Doing, Failure};
use super::init::{
    self, BOOTSTRAP_ACCESS_KEY_ID, BOOTSTRAP_KEY, BOOTSTRAP_SECRET_ACCESS_KEY, Founded, Fresh, Given,
};
use super::reload::Reloader;
use super::server::Server;
use super::signals::{Signals, Wish};
use super::sources::Sources;
use super::upstream::{self, StartedRegistry};
use super::{check, quickstart, store};
use crate::cli::args::{CheckArguments, InitArguments, QuickstartArguments, ServeArguments, ServerCommand};
use crate::config::settings::{Settings, StorePlace};
use crate::credential::api_key::ApiKey;
use crate::record::log;

/// How often certificates are looked at, for changes.
const LOOK_AT_CERTIFICATES: Duration = Duration::from_secs(10);

/// The process's environment, read once by `main`.
pub type Environment = [(String, String)];

/// Runs a command to its end, with time and randomness from `sources`. `program` is what the user typed to start us.
///
/// # Errors
/// [`Failure`], to be printed.
pub fn run(
    command: ServerCommand,
    environment: &Environment,
    program: &str,
    sources: &Sources,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("control")
        .enable_all()
        .build();
    let runtime = runtime.doing("starting")?;
    let done = match command {
        ServerCommand::Check(arguments) => runtime.block_on(check_command(&arguments, environment)),
        ServerCommand::Init(arguments) => runtime.block_on(init_command(&arguments, environment, sources)),
        ServerCommand::Quickstart(arguments) => {
            runtime.block_on(quickstart_command(&arguments, environment, program, sources))
        }
        ServerCommand::Store(command) => runtime.block_on(store::run(&command, environment, sources)),
        ServerCommand::Serve(arguments) => runtime.block_on(serve_command(&arguments, environment, sources)),
    };
    // A database call that hangs must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(2));
    done
}

fn variable<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
        .filter(|v| !v.is_empty())
}

async fn check_command(arguments: &CheckArguments, environment: &Environment) -> Result<(), Failure> {
    let loaded = check::load(&arguments.config, environment)?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    check::openable(&loaded.settings)?;
    init::reach(&loaded.settings.store.place).await?;
    println!("{}: ok", arguments.config.display());
    Ok(())
}

/// The administrator's credentials, as the environment has them.
fn given(environment: &Environment) -> Given<'_> {
    Given {
        api_key: variable(environment, BOOTSTRAP_KEY),
        access_key_id: variable(environment, BOOTSTRAP_ACCESS_KEY_ID),
        secret_access_key: variable(environment, BOOTSTRAP_SECRET_ACCESS_KEY),
    }
}

fn print(fresh: &Fresh<'_>) -> Result<(), Failure> {
    if let Some(key) = fresh.api_key {
        println!("Administrator API key: {}", key.reveal());
    }
    if let Some((id, secret)) = fresh.access_key {
        println!("Administrator access key ID: {id}");
        println!("Administrator secret access key: {}", secret.expose());
    }
    println!("Please preserve what is shown here: it cannot be shown again.");
    std::io::stdout().flush().doing("printing")
}

async fn init_command(
    arguments: &InitArguments,
    environment: &Environment,
    sources: &Sources,
) -> Result<(), Failure> {
    let settings = check::load(&arguments.config, environment)?.settings;
    let installation = init::open(&settings, sources).await?;
    let given = given(environment);
    let founded =
        init::ensure(&installation, &settings, arguments.policy_free, given, sources, Some(&print)).await?;
    let account = &settings.account.id;
    match (founded, given.api_key) {
        (Founded::Before, _) => println!("Account {account} is founded already; nothing was changed."),
        (Founded::Now, Some(_)) => {
            println!("Account {account} is founded; its administrator has the key that was given.");
        }
        (Founded::Now, None) => println!("Account {account} is founded."),
    }
    Ok(())
}

async fn serve_command(
    arguments: &ServeArguments,
    environment: &Environment,
    sources: &Sources,
) -> Result<(), Failure> {
    let loaded = check::load(&arguments.config, environment)?;
    let settings = loaded.settings;
    let level = log::init(settings.log.level, settings.log.format).doing("starting the log")?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let mut signals = Signals::listen().doing("listening for signals")?;
    let bootstrap = variable(environment, BOOTSTRAP_KEY);
    let empty = || {
        let config = arguments.config.display();
        Failure::plain(format!(
            "there is no account in the store {}: run `portcullis init --config {config}` first, or set {BOOTSTRAP_KEY}",
            settings.store.place
        ))
    };
    // A look before opening, which would make the files: perhaps only the working directory is the wrong one.
    let no_file = matches!(&settings.store.place, StorePlace::Sqlite(path) if !path.exists());
    if bootstrap.is_none() && no_file {
        return Err(empty());
    }
    let installation = init::open(&settings, sources).await?;
    let founded = installation.store.account().await.doing("reading the account")?.is_some();
    if !founded && bootstrap.is_none() {
        return Err(empty());
    }
    let given = if founded { Given::default() } else { given(environment) };
    init::ensure(&installation, &settings, false, given, sources, None).await?;
    let server = Server::start(&settings, installation, tokio::runtime::Handle::current(), sources)?;
    server.announce(&settings.listeners, &mut std::io::stdout()).doing("printing")?;
    let reloader = Reloader::new(arguments.config.clone(), environment, level, settings);
    serve(server, &mut signals, reloader).await
}

async fn quickstart_command(
    arguments: &QuickstartArguments,
    environment: &Environment,
    program: &str,
    sources: &Sources,
) -> Result<(), Failure> {
    let step = |text: &str| eprintln!("· {text}");
    step("making certificates and keys");
    let ground = quickstart::prepare(arguments)?;
    let mut signals = Signals::listen().doing("listening for signals")?;
    let (url, registry) = match &arguments.upstream {
        Some(url) => (url.clone(), None),
        None => {
            step("starting a registry");
            let path = variable(environment, "PATH").unwrap_or_default();
            let started = upstream::start(&ground.directory, path).await;
            let started = started.map_err(|error| Failure::plain(error.to_string()))?;
            (started.url.clone(), Some(started))
        }
    };
    quickstart::configure(&ground, &url, arguments.port)?;
    let settings = check::load(&ground.config, &[])?.settings;
    let level = log::init(settings.log.level, settings.log.format).doing("starting the log")?;
    step("founding the account");
    let (server, key) = found_and_start(&settings, &ground, sources).await?;
    server.announce(&settings.listeners, &mut std::io::stdout()).doing("printing")?;
    let address = *server.addresses.first().ok_or_else(|| Failure::plain("nothing is listened on"))?;
    print!("{}", quickstart::instructions(&ground, address, key.as_ref(), program));
    std::io::stdout().flush().doing("printing")?;
    let reloader = Reloader::new(ground.config, &[], level, settings);
    let ended = serve(server, &mut signals, reloader).await;
    stop(registry).await;
    ended
}

async fn found_and_start(
    settings: &Settings,
    ground: &quickstart::Ground,
    sources: &Sources,
) -> Result<(Server, Option<ApiKey>), Failure> {
    let installation = init::open(settings, sources).await?;
    let made = RefCell::new(None);
    let keep = |fresh: &Fresh<'_>| {
        if let Some(key) = fresh.api_key {
            made.replace(Some(key.clone()));
            quickstart::keep_key(ground, key)?;
        }
        fresh.access_key.map_or(Ok(()), |pair| quickstart::keep_access_key(ground, pair))
    };
    init::ensure(&installation, settings, false, Given::default(), sources, Some(&keep)).await?;
    let server = Server::start(settings, installation, tokio::runtime::Handle::current(), sources)?;
    Ok((server, made.into_inner()))
}

async fn stop(registry: Option<StartedRegistry>) {
    if let Some(registry) = registry {
        registry.stop().await;
    }
}

/// Serves until told to stop, then drains; a second wish to stop ends at once.
async fn serve(server: Server, signals: &mut Signals, mut reloader: Reloader) -> Result<(), Failure> {
    let mut look = tokio::time::interval(LOOK_AT_CERTIFICATES);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            wish = signals.next() => match wish {
                Wish::Reload => reloader.reload(&server),
                Wish::Stop => break,
            },
            _ = look.tick() => reloader.look_at_certificates(&server),
            () = server.worker_ended() => {
                return Err(Failure::plain("a worker ended: see the log; restart the server"));
            }
        }
    }
    eprintln!("draining; once more to end at once");
    let mut drained = std::pin::pin!(server.drain());
    loop {
        tokio::select! {
            cut = &mut drained => {
                if cut > 0 {
                    eprintln!("{cut} connections did not finish in time and were cut");
                }
                return Ok(());
            }
            wish = signals.next() => match wish {
                Wish::Reload => {}
                Wish::Stop => return Ok(()),
            },
        }
    }
}
