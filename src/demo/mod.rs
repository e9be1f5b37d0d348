//! `trailgate demo`: real sessions within a minute, without a provider's key. A scripted provider stands in for OpenAI, and
//! an agent works through the gateway as any client would, over HTTP. Nothing in here reaches past the public wire.

pub mod agent;
pub mod provider;
mod script;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;

/// What customers ask the demo's agent, and what they are.
const QUESTIONS: [agent::Errand; 4] = [
    agent::Errand { question: "I want to see the northern lights next weekend.", customer: "ada", version: "v1.0" },
    agent::Errand { question: "Find me a quiet week by the sea.", customer: "grace", version: "v1.0" },
    agent::Errand { question: "A city trip with good museums, please.", customer: "ada", version: "v1.1" },
    agent::Errand { question: "Somewhere warm in February?", customer: "edsger", version: "v1.1" },
];

/// How long the gateway may take to start.
const START: Duration = Duration::from_secs(30);

/// Starts the provider, has `serve` run a gateway on `listen` whose provider `openai` is at the given URL, sends the agent
/// through it, prints what there is to see, and goes on serving until `serve` ends.
///
/// # Errors
/// When a port is taken, when the gateway fails, or when the agent cannot do its work.
pub async fn run<S>(listen: SocketAddr, serve: impl FnOnce(TcpListener, String) -> S) -> anyhow::Result<()>
where
    S: Future<Output = anyhow::Result<()>>,
{
    let upstream = TcpListener::bind("127.0.0.1:0").await.context("the demo's provider needs a port on 127.0.0.1")?;
    let provider_url = format!("http://{}", upstream.local_addr()?);
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("server.listen: cannot listen on {listen}"))?;
    let gateway_url = format!("http://{}", listener.local_addr()?);

    let provider = provider::serve(upstream);
    let gateway = serve(listener, provider_url);
    let errands = work(&gateway_url);
    tokio::pin!(provider, gateway, errands);
    let mut working = true;
    loop {
        tokio::select! {
            ended = &mut gateway => return ended,
            failed = &mut provider => failed.context("the demo's provider stopped")?,
            done = &mut errands, if working => {
                done?;
                working = false;
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "the demo tells a person at a terminal what it does")]
async fn work(gateway: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    agent::wait_until_ready(&client, gateway, START).await?;
    println!("\nan agent works through the gateway, against a scripted provider:\n");
    for errand in &QUESTIONS {
        println!("{}: {}", errand.customer, errand.question);
        let report = agent::run(&client, gateway, errand).await?;
        println!(
            "  {}\n  session {}: {} model calls, {} tool calls\n",
            report.answer, report.session, report.calls, report.tools
        );
    }
    println!("what was recorded:\n");
    for line in agent::sessions(&client, gateway).await? {
        println!("  {line}");
    }
    println!(
        "\nask for more:\n  \
         curl -s {gateway}/v1/session/query -H 'content-type: application/json' \
         -d '{{\"filter\":{{\"properties\":{{\"Agent-Version\":\"v1.1\"}}}}}}'\n\
         the gateway goes on serving on {gateway}; Ctrl-C ends it"
    );
    Ok(())
}
