// Loaded into each child of the demo before its own code: it must not outlive the demo, however that ends.
process.on("disconnect", end);
// The demo may have ended while this process was starting: then that event has been and gone.
if (!process.connected) end();
// Waiting for it is no reason to stay.
process.channel?.unref();

function end(): void {
  process.kill(process.pid, "SIGTERM");
  // PostgreSQL is going too, and who waits for its answer waits for good.
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 5_000).unref();
}
