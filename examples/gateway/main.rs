//! `cargo run --example gateway`: a machine for each of thousands of devices, and one that starts
//! them and routes.

use std::error::Error;
use std::process::ExitCode;

use statem_examples::gateway::arguments::{USAGE, parse};
use statem_examples::gateway::field::{Simulation, run};

fn main() -> ExitCode {
    let simulation = match parse(std::env::args().skip(1)) {
        Ok(Some(simulation)) => simulation,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("gateway: {why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match simulate(simulation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

fn simulate(simulation: Simulation) -> Result<(), Box<dyn Error>> {
    // The clock of this runtime stands still while something runs and jumps to the next thing to do
    // when nothing does.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    println!(
        "{} devices for {} seconds, and a gateway that takes {} at once; seed {}.",
        simulation.devices, simulation.seconds, simulation.limit, simulation.seed
    );
    println!("The machines of a few have a bug, and panic: nobody else notices.\n");
    // A line each, without where it was called from.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("gateway: {}", panic.to_string().replace('\n', " "));
    }));
    let summary = runtime.block_on(run(simulation))?;
    println!("{summary}");
    summary.check()?;
    println!("\nAll counts balance.");
    Ok(())
}
