// Loaded into each child of the demo before its own code: it must not outlive the demo, however that ends.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
// Waiting for that is no reason to stay.
process.channel?.unref();
