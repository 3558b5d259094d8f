// Any bytes as what people from elsewhere bring: a JSON Web Token, a key set, a SAML response, what
// a SAML signature covers. No crash, no hang, only the errors that STS has for them, and nothing is
// verified with a key that signed none of it. Input: one byte that says what, then the text.
#include <cstdlib>

#include "services/sts/saml_assertion.h"
#include "services/sts/xml_signature.h"

using namespace pileus;
using namespace pileus::services::sts;

namespace {

const Time kNow{std::chrono::seconds(1'700'000'000)};

void check(bool condition) {
  if (!condition) std::abort();
}
template <class T>
void check_error(const Result<T>& result) {
  if (result) return;
  const auto& code = result.error().code();
  check(code == "InvalidIdentityToken" || code == "ExpiredTokenException" ||
        code == "AccessDenied" || code == "InvalidParameterValue" || code == "NotImplemented" ||
        code == "ValidationError");
}

// A key that signed nothing, and a certificate around one.
const std::vector<Jwk>& foreign_keys() {
  static const auto keys = parse_jwks(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"k",)"
                                      R"("x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
                                      R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]})");
  return *keys;
}
const std::string& foreign_certificate() {
  static const std::string der =
      from_hex(
          "3082016c30820113a00302010202144eda984c266453ef803548d9ca100342cd62406e300a06082a8648ce3d"
          "04030230"
          "0c310a300806035504030c0166301e170d3236313132353133303233395a170d333631313232313330323339"
          "5a300c31"
          "0a300806035504030c01663059301306072a8648ce3d020106082a8648ce3d03010703420004f1c7e81c1466"
          "6c2beb7e"
          "5593faaa0005c53c310375f20a7b9d77a607afdd0e6b9e79803ee8df8d23b9d68b541f6e985e4d146301ae86"
          "80a348f4"
          "c561fb78852ba3533051301d0603551d0e04160414e5929846b32e0cb603ed0c1d0ea53727a6d938e2301f06"
          "03551d23"
          "041830168014e5929846b32e0cb603ed0c1d0ea53727a6d938e2300f0603551d130101ff040530030101ff30"
          "0a06082a"
          "8648ce3d0403020347003044022000c18b0d090a5a0e03859de1ffe5f38162f1a8528a4b928d57e3830da8f6"
          "30540220"
          "31cb946bcce23de04d626a1c0dd2c59fe7c251d46052ae07a725ec32b04b3d35")
          .value();
  return der;
}

void token(std::string_view text) {
  const auto parsed = parse_jwt(text);
  if (!parsed) return;
  check(!verify(*parsed, foreign_keys().front()));
  (void)claimed_issuer(*parsed);
  aws::OidcProviderFacts provider;
  provider.client_ids = {"app"};
  const auto who = check_claims(*parsed, provider, kNow);
  check_error(who);
  if (!who) return;
  check(who->audience == "app");
  check_error(make_session_tags({}, who->tags, who->transitive));
  (void)federation_keys(*who, "idp");
}

void assertion(std::string_view text) {
  const auto read = read_assertion(text);
  check_error(read);
  if (!read) return;
  aws::SamlProviderFacts provider;
  provider.arn = "arn:aws:iam::123456789012:saml-provider/p";
  provider.account = "123456789012";
  provider.name = "p";
  provider.entity_id = "idp";
  provider.valid_until = Time::max();
  const auto who = check_assertion(*read, provider, "arn:aws:iam::123456789012:role/r", kNow);
  check_error(who);
  if (who) (void)trust_keys(*read, *who, provider);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      token(text);
      break;
    case 1:
      (void)parse_jwks(text);
      break;
    case 2: {
      const auto part = signed_part(text, {foreign_certificate()});
      check(!part);
      check_error(part);
      break;
    }
    case 3:
      assertion(text);
      break;
  }
  return 0;
}
