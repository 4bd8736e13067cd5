// Loaded into the stack's Kinesis, which would listen on all of the machine's addresses.
const { Server } = require("node:net");

const { listen } = Server.prototype;
Server.prototype.listen = function (port, _host, ...rest) {
  return listen.call(this, port, "127.0.0.1", ...rest);
};
