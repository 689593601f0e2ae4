// Ends Azurite when its supervisor is gone: the pipe whose number is in DEVSTACK_LIFELINE closes.
// SIGTERM first, so that Azurite writes down what it holds in memory.
"use strict";
const net = require("net");
const number = process.env.DEVSTACK_LIFELINE;
if (number) {
  delete process.env.DEVSTACK_LIFELINE;
  const pipe = new net.Socket({ fd: Number(number), readable: true, writable: false });
  const end = () => {
    process.kill(process.pid, "SIGTERM");
    setTimeout(() => process.exit(1), 3000).unref();
  };
  pipe.on("end", end).on("error", end).resume();
  pipe.unref();
}
