// Function URLs' parts that are functions of their arguments.
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/text.h"
#include "services/lambda/url_cors.h"
#include "services/lambda/url_event.h"
#include "services/lambda/url_response.h"

namespace pileus::services::lambda {
namespace {

TEST(UrlHost, An_id_tells_its_account) {
  SeededRandom random{3};
  for (const auto account : {"000000000000", "123456789012", "999999999999"}) {
    const std::string id = make_url_id(random, account);
    EXPECT_EQ(id.size(), 32u);
    EXPECT_EQ(id, to_lower(id));
    EXPECT_EQ(account_of_url(id), account);
  }
  EXPECT_EQ(account_of_url("short"), "");
  EXPECT_EQ(account_of_url(std::string(32, '!')), "");
}

TEST(UrlHost, Is_found_in_host_headers_only_where_it_is_one) {
  SeededRandom random{3};
  const std::string id = make_url_id(random, "123456789012");
  const auto host = parse_url_host(id + ".Lambda-url.eu-west-1.localhost:4566");
  EXPECT_FALSE(host) << "the label is lower case on the wire";
  const auto lower = parse_url_host(id + ".lambda-url.eu-west-1.localhost:4566");
  ASSERT_TRUE(lower);
  EXPECT_EQ(lower->id, id);
  EXPECT_EQ(lower->region, "eu-west-1");
  EXPECT_EQ(lower->account, "123456789012");
  EXPECT_EQ(lower->domain, id + ".lambda-url.eu-west-1.localhost");
  for (const std::string& other :
       std::vector<std::string>{std::string("localhost:4566"), std::string(), id + ".localhost",
                                id + ".lambda-url.localhost", "x.lambda-url.eu-west-1.localhost"})
    EXPECT_FALSE(parse_url_host(other)) << other;
}

Json event_of(net::Request& request, std::string_view body, const aws::Identity* caller = nullptr) {
  const UrlHost host{"abc", "us-east-1", "000000000000", "abc.lambda-url.us-east-1.localhost"};
  const Time now = *parse_iso8601("2022-08-05T08:14:39.285Z");
  return *parse_json(
      url_event({request, body, host, caller, "rid", "Root=1-2-3;Parent=4;Sampled=0", now}));
}

TEST(UrlEvent, Has_the_form_2_0) {
  net::Request request;
  request.method = "POST";
  request.target = "/my%20path?a=1&a=2&b=x%20y+z&c";
  request.peer_address = "127.0.0.1";
  request.local_port = 4566;
  request.headers.add("Host", "abc.lambda-url.us-east-1.localhost");
  request.headers.add("X-Two", "1");
  request.headers.add("x-two", "2");
  request.headers.add("Cookie", "c1=v1; c2=v2");
  request.headers.add("User-Agent", "agent");
  request.headers.add("Content-Type", "text/plain; charset=utf-8");
  const Json event = event_of(request, "hello");
  EXPECT_EQ(to_text(event),
            R"({"version":"2.0","routeKey":"$default","rawPath":"/my%20path",)"
            R"("rawQueryString":"a=1&a=2&b=x%20y+z&c","cookies":["c1=v1","c2=v2"],)"
            R"("headers":{"content-type":"text/plain; charset=utf-8",)"
            R"("host":"abc.lambda-url.us-east-1.localhost","user-agent":"agent",)"
            R"("x-amzn-trace-id":"Root=1-2-3","x-forwarded-for":"127.0.0.1",)"
            R"("x-forwarded-port":"4566","x-forwarded-proto":"http","x-two":"1,2"},)"
            R"("queryStringParameters":{"a":"1,2","b":"x y z","c":""},)"
            R"("requestContext":{"accountId":"anonymous","apiId":"abc",)"
            R"("domainName":"abc.lambda-url.us-east-1.localhost","domainPrefix":"abc",)"
            R"("http":{"method":"POST","path":"/my%20path","protocol":"HTTP/1.1",)"
            R"("sourceIp":"127.0.0.1","userAgent":"agent"},"requestId":"rid",)"
            R"("routeKey":"$default","stage":"$default","time":"05/Aug/2022:08:14:39 +0000",)"
            R"("timeEpoch":1659687279285},"body":"hello","isBase64Encoded":false})");
}

TEST(UrlEvent, Binary_bodies_go_in_base64) {
  net::Request request;
  request.method = "POST";
  request.target = "/";
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  Json event = event_of(request, "a=1");
  EXPECT_EQ(find_string(event, "body"), "YT0x");
  EXPECT_TRUE(find(event, "isBase64Encoded")->get_bool());
  net::Headers headers;
  headers.set("content-type", "application/json");
  EXPECT_TRUE(is_text_body(headers, "{}"));
  EXPECT_FALSE(is_text_body(headers, "\xff"));
  headers.set("content-encoding", "gzip");
  EXPECT_FALSE(is_text_body(headers, "{}"));
}

TEST(UrlEvent, Names_a_signed_caller) {
  net::Request request;
  request.method = "GET";
  request.target = "/";
  aws::Identity caller;
  caller.account = "123456789012";
  caller.access_key_id = "AKIAEXAMPLE";
  caller.user_id = "AIDAEXAMPLE";
  caller.arn = "arn:aws:iam::123456789012:user/u";
  const Json event = event_of(request, "", &caller);
  const Json& context = *find(event, "requestContext");
  EXPECT_EQ(find_string(context, "accountId"), "123456789012");
  const Json& iam = *find(*find(context, "authorizer"), "iam");
  EXPECT_EQ(find_string(iam, "userArn"), caller.arn);
  EXPECT_EQ(find_string(iam, "accessKey"), "AKIAEXAMPLE");
  EXPECT_FALSE(find(event, "body"));
}

TEST(UrlResponse, Is_inferred_as_aws_infers_it) {
  const auto text = infer_response("\"Hello\"");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->status, 200);
  EXPECT_EQ(text->body, "\"Hello\"");
  EXPECT_EQ(text->headers.get("content-type"), "application/json");
  EXPECT_EQ(infer_response(R"({"message":"m"})")->body, R"({"message":"m"})");
  const auto full =
      infer_response(R"({"statusCode":201,"headers":{"X-A":"b","X-N":5,"Content-Length":"9"},)"
                     R"("cookies":["a=1","b=2"],"body":"AAE=","isBase64Encoded":true})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->status, 201);
  EXPECT_EQ(full->body, std::string("\0\1", 2));
  EXPECT_EQ(full->headers.get("x-n"), "5");
  EXPECT_FALSE(full->headers.find("content-length"));
  int cookies = 0;
  for (const auto& [name, value] : full->headers) cookies += name == "Set-Cookie" ? 1 : 0;
  EXPECT_EQ(cookies, 2);
}

TEST(UrlResponse, What_is_malformed_is_refused) {
  for (const auto bad : {
           R"({"statusCode":"x"})",
           R"({"statusCode":99})",
           R"({"statusCode":200,"body":{}})",
           R"({"statusCode":200,"headers":[]})",
           R"({"statusCode":200,"headers":{"a b":"c"}})",
           R"({"statusCode":200,"headers":{"a":"b\r\nc: d"}})",
           R"({"statusCode":200,"cookies":["a\r\nb"]})",
           R"({"statusCode":200,"body":"!","isBase64Encoded":true})",
       })
    EXPECT_FALSE(infer_response(bad)) << bad;
}

TEST(UrlResponse, A_prelude_comes_in_pieces) {
  const std::string wire = R"({"statusCode":202,"headers":{"X-A":"b"},"cookies":["c=1"]})" +
                           std::string(8, '\0') + "first";
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    PreludeReader reader;
    std::string after;
    auto state = PreludeReader::State::kMore;
    for (std::size_t at = 0; at < wire.size(); at += step) {
      const auto piece = std::string_view(wire).substr(at, step);
      if (state == PreludeReader::State::kDone)
        after += piece;
      else
        state = reader.feed(piece);
    }
    ASSERT_EQ(state, PreludeReader::State::kDone);
    Prelude prelude = reader.take();
    EXPECT_EQ(prelude.head.status, 202);
    EXPECT_EQ(prelude.head.headers.get("set-cookie"), "c=1");
    EXPECT_EQ(prelude.rest + after, "first");
  }
  EXPECT_EQ(PreludeReader().feed("nonsense" + std::string(8, '\0')),
            PreludeReader::State::kMalformed);
  EXPECT_EQ(PreludeReader().feed(std::string(kMaxPrelude + 1, 'x')),
            PreludeReader::State::kMalformed);
}

net::Headers browser(const std::string& origin) {
  net::Headers headers;
  headers.add("Origin", origin);
  headers.add("Access-Control-Request-Method", "PUT");
  headers.add("Access-Control-Request-Headers", "x-mine");
  return headers;
}

TEST(UrlCors, Answers_browsers_as_configured) {
  UrlCors cors;
  cors.allow_origins = {"https://a.example"};
  cors.allow_methods = {"GET", "PUT"};
  cors.allow_headers = {"x-mine"};
  cors.expose_headers = {"x-out"};
  cors.max_age = 60;
  EXPECT_TRUE(is_preflight("OPTIONS", browser("x")));
  EXPECT_FALSE(is_preflight("GET", browser("x")));
  const auto answer = preflight_answer(cors, browser("https://a.example"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(answer.headers.get("access-control-allow-methods"), "GET,PUT");
  EXPECT_EQ(answer.headers.get("access-control-allow-headers"), "x-mine");
  EXPECT_EQ(answer.headers.get("access-control-max-age"), "60");
  EXPECT_FALSE(answer.headers.find("access-control-allow-credentials"));
  EXPECT_FALSE(preflight_answer(cors, browser("https://b.example"))
                   .headers.find("access-control-allow-origin"));
}

TEST(UrlCors, The_platforms_headers_replace_the_functions) {
  UrlCors cors;
  cors.allow_origins = {"*"};
  net::Response response;
  response.headers.add("Access-Control-Allow-Origin", "https://function.example");
  add_cors(cors, browser("https://a.example"), response);
  EXPECT_EQ(response.headers.get("access-control-allow-origin"), "*");
  cors.allow_credentials = true;
  cors.expose_headers = {"x-out"};
  add_cors(cors, browser("https://a.example"), response);
  EXPECT_EQ(response.headers.get("access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(response.headers.get("access-control-allow-credentials"), "true");
  EXPECT_EQ(response.headers.get("access-control-expose-headers"), "x-out");
  EXPECT_EQ(response.headers.get("vary"), "Origin");
  cors.allow_origins = {"https://*.example"};
  add_cors(cors, browser("http://a.example"), response);
  EXPECT_FALSE(response.headers.find("access-control-allow-origin"));
}

}  // namespace
}  // namespace pileus::services::lambda
