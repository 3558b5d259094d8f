// The floor of a native invoke: the same handler behind a bare HTTP/1.1 server, one connection at a
// time, blocking sockets. Argument: the port.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void serve(int connection) {
  std::string data;
  char buffer[65536];
  for (;;) {
    std::size_t head;
    while ((head = data.find("\r\n\r\n")) == std::string::npos) {
      const auto n = read(connection, buffer, sizeof buffer);
      if (n <= 0) return;
      data.append(buffer, static_cast<std::size_t>(n));
    }
    const char* length_field = strcasestr(data.c_str(), "content-length:");
    const std::size_t length = length_field ? std::strtoul(length_field + 15, nullptr, 10) : 0;
    while (data.size() < head + 4 + length) {
      const auto n = read(connection, buffer, sizeof buffer);
      if (n <= 0) return;
      data.append(buffer, static_cast<std::size_t>(n));
    }
    const auto colon = data.find(':', head + 4);
    const long n = colon == std::string::npos ? 0 : std::strtol(data.c_str() + colon + 1, nullptr, 10);
    const std::string body = "{\"n\":" + std::to_string(n + 1) + "}";
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body;
    if (write(connection, answer.data(), answer.size()) < 0) return;
    data.erase(0, head + 4 + length);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 16) != 0) return 1;
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    if (connection < 0) continue;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    serve(connection);
    close(connection);
  }
}
