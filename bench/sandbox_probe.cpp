// What the sandbox bench runs: connects to 127.0.0.1:9001 and waits to be ended. With an argument it
// exits at once: the floor of clone3 + exec. Static, so that the dynamic loader is not measured.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char**) {
  if (argc > 1) return 0;
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(9001);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) return 1;
  char byte;
  return ::read(socket, &byte, 1) < 0;
}
