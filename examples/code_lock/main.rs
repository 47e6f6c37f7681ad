//! A door with a code lock, on tokio: `cargo run --example code_lock`. Its machine is in
//! `machine.rs`.

use statem::{Handle, spawn};
use statem_examples::code_lock::machine::{Code, Door, Event, Locked, OPEN};

async fn press(door: &Handle<Door>, buttons: &[u8]) {
    for &button in buttons {
        println!("press {button}");
        door.cast(Event::Button(button))
            .await
            .expect("the door is there");
    }
}

// The clock of this runtime stands still while something runs and jumps to the next timeout when
// nothing does, so that nobody has to wait ten seconds to see the door close.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    statem_examples::arguments::none("code_lock", "Opens a door by its code, twice.");
    let door = spawn::<Door>(Locked::default(), Code(vec![1, 2, 3]));
    println!(
        "the code has {} buttons",
        door.call(Event::Length).await.expect("the door answers")
    );
    press(&door, &[1, 2, 2]).await;
    press(&door, &[1, 2, 3]).await;
    // The door is open: these wait, and open it once more when it has closed.
    press(&door, &[1, 2, 3]).await;
    tokio::time::sleep(OPEN + OPEN / 2).await;
    println!("15 s later: {:?}", door.status());
    tokio::time::sleep(OPEN).await;
    println!("25 s later: {:?}", door.status());
}
