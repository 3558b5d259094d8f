#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/test_support.h"

namespace pileus::net {
namespace {

using test::RawClient;
using test::TestServer;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Task<Response> hello(Request&) {
  Response response;
  response.body = "hello";
  co_return response;
}

TEST(Server, Requests_on_one_connection_are_answered_in_order) {
  TestServer server(hello);
  RawClient client(server.address);
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nhello"));
  }
}

}  // namespace
}  // namespace pileus::net
