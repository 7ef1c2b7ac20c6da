//! The command `fedroot`: parse, run, exit.

/// Wipes every block of heap memory when it is freed: libraries leave copies of private keys behind.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    fedroot::cli::main(std::env::args_os())
}
