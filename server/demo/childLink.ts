// Loaded into each child of the demo before its own code: it must not outlive the demo, however that ends.
process.on("disconnect", () => {
  process.kill(process.pid, "SIGTERM");
  // PostgreSQL is going too, and who waits for its answer waits for good.
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 5_000).unref();
});
// Waiting for that is no reason to stay.
process.channel?.unref();
