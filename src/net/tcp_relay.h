// TcpRelay: a loopback port whose connections go on through sockets that somebody else made, such
// as in another network namespace. For few and slow connections (a debugger's): one thread of its
// own moves the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"

namespace pileus::net {

class TcpRelay {
 public:
  // Listens at 127.0.0.1:`port`, 0 for any; lets in sockets of `user` and of root. errc::kIo with
  // the reason.
  static Result<std::unique_ptr<TcpRelay>> listen(std::uint16_t port, std::uint32_t user);
  ~TcpRelay();  // ends every connection

  std::uint16_t port() const;
  // Connections accepted from now on use one of these TCP sockets each, as often as it is free, to
  // reach 127.0.0.1:`port` of the socket's own network; those of before end. Takes the descriptors;
  // listening ones are turned round. More connections than sockets are refused. Any thread.
  void connect_through(std::vector<int> sockets, std::uint16_t port);

 private:
  class Impl;
  explicit TcpRelay(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pileus::net
