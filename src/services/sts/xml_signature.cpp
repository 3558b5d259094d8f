#include "services/sts/xml_signature.h"

// As pkg-config xmlsec1-openssl has them: they decide the types of the library's interface.
#define XMLSEC_NO_SIZE_T
#define XMLSEC_NO_GOST 1
#define XMLSEC_NO_GOST2012 1
#define XMLSEC_NO_CRYPTO_DYNAMIC_LOADING 1
#define XMLSEC_CRYPTO_OPENSSL 1

#include <dlfcn.h>
#include <libxml/parser.h>
#include <libxml/valid.h>
#include <xmlsec/buffer.h>
#include <xmlsec/errors.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

#include <memory>

#include "services/sts/claims.h"

namespace pileus::services::sts {

namespace {

constexpr std::string_view kSignatures = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view kAssertions = "urn:oasis:names:tc:SAML:2.0:assertion";
constexpr std::string_view kProtocol = "urn:oasis:names:tc:SAML:2.0:protocol";

// The functions of libxml2 and xmlsec1 that are used, by their own names.
#define PILEUS_XMLSEC_FUNCTIONS(X)                                                                 \
  X(xmlReadMemory)                                                                                 \
  X(xmlFreeDoc) X(xmlAddID) X(xmlInitParser) X(xmlResetLastError) X(xmlSecInit)                    \
      X(xmlSecCheckVersionExt) X(xmlSecOpenSSLAppInit) X(xmlSecOpenSSLInit) X(                     \
          xmlSecErrorsDefaultCallbackEnableOutput) X(xmlSecDSigCtxCreate) X(xmlSecDSigCtxDestroy)  \
          X(xmlSecDSigCtxVerify) X(xmlSecDSigCtxEnableReferenceTransform)                          \
              X(xmlSecDSigCtxEnableSignatureTransform) X(xmlSecDSigReferenceCtxGetPreDigestBuffer) \
                  X(xmlSecBufferGetData) X(xmlSecBufferGetSize) X(xmlSecPtrListGetSize) X(         \
                      xmlSecPtrListGetItem) X(xmlSecOpenSSLAppKeyLoadMemory)                       \
                      X(xmlSecTransformEnvelopedGetKlass) X(xmlSecTransformExclC14NGetKlass) X(    \
                          xmlSecTransformInclC14NGetKlass) X(xmlSecOpenSSLTransformSha256GetKlass) \
                          X(xmlSecOpenSSLTransformSha384GetKlass)                                  \
                              X(xmlSecOpenSSLTransformSha512GetKlass)                              \
                                  X(xmlSecOpenSSLTransformRsaSha256GetKlass)                       \
                                      X(xmlSecOpenSSLTransformRsaSha384GetKlass)                   \
                                          X(xmlSecOpenSSLTransformRsaSha512GetKlass)               \
                                              X(xmlSecOpenSSLTransformEcdsaSha256GetKlass)         \
                                                  X(xmlSecOpenSSLTransformEcdsaSha384GetKlass)     \
                                                      X(xmlSecOpenSSLTransformEcdsaSha512GetKlass)

struct Library {
#define X(name) decltype(&::name) name = nullptr;
  PILEUS_XMLSEC_FUNCTIONS(X)
#undef X
  bool usable = false;
};

Library load() {
  Library library;
  // The plugin brings xmlsec1 and libxml2 with it.
  void* const opened = ::dlopen("libxmlsec1-openssl.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!opened) return library;
  bool complete = true;
#define X(name)                                                                    \
  library.name = reinterpret_cast<decltype(library.name)>(::dlsym(opened, #name)); \
  complete = complete && library.name;
  PILEUS_XMLSEC_FUNCTIONS(X)
#undef X
  if (!complete) return library;
  library.xmlInitParser();
  library.usable = library.xmlSecInit() == 0 &&
                   library.xmlSecCheckVersionExt(XMLSEC_VERSION_MAJOR, XMLSEC_VERSION_MINOR,
                                                 XMLSEC_VERSION_SUBMINOR,
                                                 xmlSecCheckVersionABICompatible) == 1 &&
                   library.xmlSecOpenSSLAppInit(nullptr) == 0 && library.xmlSecOpenSSLInit() == 0;
  library.xmlSecErrorsDefaultCallbackEnableOutput(0);
  return library;
}
const Library& xmlsec() {
  static const Library library = load();
  return library;
}

struct FreedDocument {
  void operator()(xmlDoc* document) const { xmlsec().xmlFreeDoc(document); }
};
using Document = std::unique_ptr<xmlDoc, FreedDocument>;
struct FreedContext {
  void operator()(xmlSecDSigCtx* context) const { xmlsec().xmlSecDSigCtxDestroy(context); }
};
using SignatureContext = std::unique_ptr<xmlSecDSigCtx, FreedContext>;

std::string_view text_of(const xmlChar* text) {
  return text ? reinterpret_cast<const char*>(text) : "";
}
bool is(const xmlNode* node, std::string_view name, std::string_view space) {
  return node->type == XML_ELEMENT_NODE && text_of(node->name) == name && node->ns &&
         text_of(node->ns->href) == space;
}

// The value of the attribute ID; without entities it is one piece of text.
xmlAttr* id_attribute(const xmlNode* node) {
  for (xmlAttr* one = node->properties; one; one = one->next)
    if (text_of(one->name) == "ID" && !one->ns && one->children && !one->children->next) return one;
  return nullptr;
}

// Makes the IDs known, so that references find their elements. False where two are the same.
bool register_ids(xmlDoc* document, xmlNode* root) {
  for (xmlNode* node = root; node;) {
    if (node->type == XML_ELEMENT_NODE) {
      if (xmlAttr* id = id_attribute(node);
          id && !xmlsec().xmlAddID(nullptr, document, id->children->content, id))
        return false;
      if (node->children) {
        node = node->children;
        continue;
      }
    }
    while (node != root && !node->next) node = node->parent;
    node = node == root ? nullptr : node->next;
  }
  return true;
}

// The one child of that name; nullptr where there is none or there are several.
xmlNode* only_child(const xmlNode* parent, std::string_view name, std::string_view space) {
  xmlNode* found = nullptr;
  for (xmlNode* node = parent->children; node; node = node->next) {
    if (!is(node, name, space)) continue;
    if (found) return nullptr;
    found = node;
  }
  return found;
}

// The document with its IDs known, and the signature that counts.
struct Parsed {
  Document document;
  xmlNode* signed_element = nullptr;
  xmlNode* signature = nullptr;
};
std::optional<Parsed> parse(std::string_view response) {
  Parsed out;
  out.document.reset(
      xmlsec().xmlReadMemory(response.data(), static_cast<int>(response.size()), nullptr, "UTF-8",
                             XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  xmlsec().xmlResetLastError();
  if (!out.document || out.document->intSubset || out.document->extSubset) return std::nullopt;
  xmlNode* root = out.document->children;
  while (root && root->type != XML_ELEMENT_NODE) root = root->next;
  if (!root || !is(root, "Response", kProtocol)) return std::nullopt;
  if (!register_ids(out.document.get(), root)) return std::nullopt;
  xmlNode* const assertion = only_child(root, "Assertion", kAssertions);
  if (!assertion) return std::nullopt;
  for (xmlNode* element : {assertion, root}) {
    xmlNode* const signature = only_child(element, "Signature", kSignatures);
    if (!signature || !id_attribute(element)) continue;
    out.signed_element = element;
    out.signature = signature;
    return out;
  }
  return std::nullopt;
}

SignatureContext make_context(const std::string& certificate) {
  const Library& lib = xmlsec();
  SignatureContext context(lib.xmlSecDSigCtxCreate(nullptr));
  if (!context) return nullptr;
  context->flags |=
      XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES | XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS;
  context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
  for (const auto klass :
       {lib.xmlSecTransformEnvelopedGetKlass(), lib.xmlSecTransformExclC14NGetKlass(),
        lib.xmlSecTransformInclC14NGetKlass(), lib.xmlSecOpenSSLTransformSha256GetKlass(),
        lib.xmlSecOpenSSLTransformSha384GetKlass(), lib.xmlSecOpenSSLTransformSha512GetKlass()})
    if (lib.xmlSecDSigCtxEnableReferenceTransform(context.get(), klass) < 0) return nullptr;
  for (const auto klass :
       {lib.xmlSecTransformExclC14NGetKlass(), lib.xmlSecTransformInclC14NGetKlass(),
        lib.xmlSecOpenSSLTransformRsaSha256GetKlass(),
        lib.xmlSecOpenSSLTransformRsaSha384GetKlass(),
        lib.xmlSecOpenSSLTransformRsaSha512GetKlass(),
        lib.xmlSecOpenSSLTransformEcdsaSha256GetKlass(),
        lib.xmlSecOpenSSLTransformEcdsaSha384GetKlass(),
        lib.xmlSecOpenSSLTransformEcdsaSha512GetKlass()})
    if (lib.xmlSecDSigCtxEnableSignatureTransform(context.get(), klass) < 0) return nullptr;
  // With a key given, what KeyInfo offers is not looked at.
  context->signKey =
      lib.xmlSecOpenSSLAppKeyLoadMemory(reinterpret_cast<const xmlSecByte*>(certificate.data()),
                                        static_cast<xmlSecSize>(certificate.size()),
                                        xmlSecKeyDataFormatCertDer, nullptr, nullptr, nullptr);
  return context->signKey ? std::move(context) : nullptr;
}

// What the one reference of a verified signature was computed over; nothing where it is not the
// signed element.
std::optional<std::string> covered(xmlSecDSigCtx& context, const xmlNode* element) {
  const Library& lib = xmlsec();
  if (lib.xmlSecPtrListGetSize(&context.signedInfoReferences) != 1) return std::nullopt;
  auto* const reference = static_cast<xmlSecDSigReferenceCtx*>(
      lib.xmlSecPtrListGetItem(&context.signedInfoReferences, 0));
  if (!reference || reference->status != xmlSecDSigStatusSucceeded) return std::nullopt;
  const auto id = text_of(id_attribute(element)->children->content);
  if (text_of(reference->uri) != str('#', id)) return std::nullopt;
  xmlSecBuffer* const buffer = lib.xmlSecDSigReferenceCtxGetPreDigestBuffer(reference);
  if (!buffer) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(lib.xmlSecBufferGetData(buffer)),
                     lib.xmlSecBufferGetSize(buffer));
}

}  // namespace

Result<std::string> signed_part(std::string_view response,
                                const std::vector<std::string>& certificates) {
  if (!xmlsec().usable)
    return fail("NotImplemented",
                "SAML needs the library xmlsec1 with OpenSSL (Debian: apt install "
                "libxmlsec1-openssl).",
                501);
  // Before anything expands an entity. The parser is told that the text is UTF-8, so no other
  // encoding hides one.
  if (response.find("<!DOCTYPE") != std::string_view::npos || !is_utf8(response))
    return fail(invalid_token("Response signature invalid"));
  for (const auto& certificate : certificates) {
    const auto parsed = parse(response);  // a verification leaves marks in the document
    if (!parsed) break;
    const auto context = make_context(certificate);
    if (!context) continue;
    const int done = xmlsec().xmlSecDSigCtxVerify(context.get(), parsed->signature);
    if (done != 0 || context->status != xmlSecDSigStatusSucceeded) continue;
    if (auto part = covered(*context, parsed->signed_element)) return std::move(*part);
  }
  return fail(invalid_token("Response signature invalid"));
}

}  // namespace pileus::services::sts
