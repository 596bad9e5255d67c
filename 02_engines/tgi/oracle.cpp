// Headers with their answers. They are put together piece by piece beside the list that they describe, so the
// answer does not come from any parser.

#include <fmt/ranges.h>

#include "tgi.hpp"

namespace rung::tgi {
namespace {

std::string text_of(const SafetensorsEntry& e) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", e.name, e.dtype,
                     fmt::join(e.shape, ","), e.begin, e.end);
}

Case good(std::string name, std::string header, Entries expected) {
  return {std::move(name), std::move(header), std::move(expected), false};
}
Case bad(std::string name, std::string header) { return {std::move(name), std::move(header), {}, true}; }

/// A header with one tensor whose description is `fields`.
std::string with_fields(const std::string& fields) { return R"({"w":{)" + fields + "}}"; }

}  // namespace

MadeHeader make_header(int count, bool metadata) {
  // The matrices of a layer of Llama 3 8B, as [rows, cols].
  struct Matrix {
    const char* name;
    std::int64_t rows, cols;  // cols 0: a vector
  };
  constexpr Matrix kLayer[] = {{"input_layernorm", 4096, 0},          {"mlp.down_proj", 4096, 14336},
                               {"mlp.gate_proj", 14336, 4096},        {"mlp.up_proj", 14336, 4096},
                               {"self_attn.k_proj", 1024, 4096},      {"self_attn.o_proj", 4096, 4096},
                               {"post_attention_layernorm", 4096, 0}, {"self_attn.q_proj", 4096, 4096},
                               {"self_attn.v_proj", 1024, 4096}};
  MadeHeader made;
  made.text.assign(1, '{');
  if (metadata) made.text += R"("__metadata__":{"format":"pt"})";
  std::uint64_t at = 0;
  for (int i = 0; i < count; ++i) {
    const Matrix& m = kLayer[i % 9];
    SafetensorsEntry entry;
    entry.name = fmt::format("model.layers.{}.{}.weight", i / 9, m.name);
    entry.dtype = "BF16";
    entry.shape = m.cols > 0 ? std::vector<std::int64_t>{m.rows, m.cols} : std::vector<std::int64_t>{m.rows};
    entry.begin = at;
    entry.end = at += 2 * static_cast<std::uint64_t>(m.rows * std::max<std::int64_t>(m.cols, 1));
    if (made.text.size() > 1) made.text += ',';
    made.text += text_of(entry);
    made.entries.push_back(std::move(entry));
  }
  made.text += '}';
  made.text.append((8 - made.text.size() % 8) % 8, ' ');  // as the reference implementation pads it
  return made;
}

std::vector<Case> cases() {
  const SafetensorsEntry w{"w", "F32", {2, 3}, 0, 24};
  const std::string w_text = text_of(w);
  const std::string fields = R"("dtype":"F32","shape":[2,3],"data_offsets":[0,24])";
  std::vector<Case> list;
  for (const int count : {0, 1, 2, 40}) {
    MadeHeader made = make_header(count);
    list.push_back(good(fmt::format("{} tensors", count), std::move(made.text), std::move(made.entries)));
  }
  // What a header may look like.
  list.push_back(good("an empty object", "{}", {}));
  list.push_back(good("a scalar", R"({"s":{"dtype":"F16","shape":[],"data_offsets":[8,10]}})",
                      {{"s", "F16", {}, 8, 10}}));
  list.push_back(good("eight dimensions",
                      R"({"d":{"dtype":"U8","shape":[1,1,1,1,1,1,1,2],"data_offsets":[0,2]}})",
                      {{"d", "U8", {1, 1, 1, 1, 1, 1, 1, 2}, 0, 2}}));
  list.push_back(good("white space everywhere",
                      "{ \n\t\"w\" : { \"dtype\" : \"F32\" ,\r\n \"shape\" : [ 2 , 3 ] , \"data_offsets\" : "
                      "[ 0 , 24 ] } } \n ",
                      {w}));
  list.push_back(good("fields in another order",
                      with_fields(R"("data_offsets":[0,24],"shape":[2,3],"dtype":"F32")"), {w}));
  list.push_back(good("metadata last", '{' + w_text + R"(,"__metadata__":{"format":"pt"}})", {w}));
  list.push_back(good("metadata with brackets in its texts",
                      R"({"__metadata__":{"a":"}]{[\"","b":"\\"},)" + w_text + '}', {w}));
  list.push_back(good("metadata of any kind",
                      R"({"__metadata__":[1,{"x":[null,true,-1.5e3]},"y"],)" + w_text + '}', {w}));
  list.push_back(good("metadata that is a number", R"({"__metadata__":-7.5 ,)" + w_text + '}', {w}));
  list.push_back(
      good("unknown fields", with_fields(fields + R"(,"note":{"dtype":[1]},"n":null,"t":"x")"), {w}));
  list.push_back(good("escapes in a name", R"({"a\u00e9\n\"b\ud83d\ude00":{)" + fields + "}}",
                      {{"a\xc3\xa9\n\"b\xf0\x9f\x98\x80", "F32", {2, 3}, 0, 24}}));
  list.push_back(
      good("escapes in a key", R"({"w":{"\u0064type":"F32","shape":[2,3],"data_offsets":[0,24]}})", {w}));
  list.push_back(good("UTF-8 in a name", "{\"\xe6\x9d\x83\":{" + fields + "}}",
                      {{"\xe6\x9d\x83", "F32", {2, 3}, 0, 24}}));
  list.push_back(good("the largest integer",
                      R"({"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})",
                      {{"w", "F32", {std::int64_t{1} << 62}, 0, 0}}));
  list.push_back(good("sizes that cannot be", R"({"w":{"dtype":"XYZ","shape":[9,9],"data_offsets":[7,3]}})",
                      {{"w", "XYZ", {9, 9}, 7, 3}}));  // the loader's business

  // What is none.
  list.push_back(bad("no end", '{' + w_text));
  list.push_back(bad("no end of a string", R"({"w)"));
  list.push_back(bad("text behind it", '{' + w_text + "}x"));
  list.push_back(bad("another object behind it", '{' + w_text + "}{}"));
  list.push_back(bad("a comma too many", '{' + w_text + ",}"));
  list.push_back(bad("no colon", R"({"w" {)" + fields + "}}"));
  list.push_back(bad("a key without quotes", "{w:{" + fields + "}}"));
  list.push_back(bad("a tensor that is a list", R"({"w":[1]})"));
  list.push_back(bad("a tensor that is a text", R"({"w":"F32"})"));
  list.push_back(bad("a tensor that is null", R"({"w":null})"));
  list.push_back(bad("the same tensor twice", '{' + w_text + "," + w_text + '}'));
  list.push_back(bad("the same tensor twice, once escaped", '{' + w_text + R"(,"\u0077":{)" + fields + "}}"));
  list.push_back(bad("metadata twice", R"({"__metadata__":{},"__metadata__":{}})"));
  list.push_back(bad("a key twice in the metadata", R"({"__metadata__":{"a":"1","a":"2"}})"));
  list.push_back(bad("damage in the metadata", R"({"__metadata__":{"a":tru}})"));
  list.push_back(bad("a closing bracket of another kind", R"({"__metadata__":{"a":[1}})"));
  list.push_back(bad("a field twice", with_fields(fields + R"(,"dtype":"F32")")));
  list.push_back(bad("an unknown field twice", with_fields(fields + R"(,"x":1,"x":1)")));
  list.push_back(bad("no dtype", with_fields(R"("shape":[2,3],"data_offsets":[0,24])")));
  list.push_back(bad("no shape", with_fields(R"("dtype":"F32","data_offsets":[0,24])")));
  list.push_back(bad("no offsets", with_fields(R"("dtype":"F32","shape":[2,3])")));
  list.push_back(bad("no fields", with_fields("")));
  for (const char* dtype : {"1", "null", "[\"F32\"]", "{}"}) {
    list.push_back(bad(fmt::format("dtype {}", dtype),
                       with_fields(fmt::format(R"("dtype":{},"shape":[2,3],"data_offsets":[0,24])", dtype))));
  }
  for (const char* shape : {"6",
                            "null",
                            "\"2,3\"",
                            "{}",
                            "[-1]",
                            "[2.0]",
                            "[2e0]",
                            "[\"2\"]",
                            "[[2]]",
                            "[02]",
                            "[2,]",
                            "[2 3]",
                            "[,2]",
                            "[+2]",
                            "[0x2]",
                            "[4611686018427387905]",
                            "[18446744073709551617]",
                            "[99999999999999999999999]",
                            "[1,1,1,1,1,1,1,1,1]",
                            "[null]",
                            "[true]",
                            "[{}]",
                            "[-0]"}) {
    list.push_back(bad(fmt::format("shape {}", shape),
                       with_fields(fmt::format(R"("dtype":"F32","shape":{},"data_offsets":[0,24])", shape))));
  }
  for (const char* offsets :
       {"[]", "[0]", "[0,24,48]", "24", "[0,-24]", "[0,24.5]", "\"0,24\"", "[[0,24]]"}) {
    list.push_back(
        bad(fmt::format("offsets {}", offsets),
            with_fields(fmt::format(R"("dtype":"F32","shape":[2,3],"data_offsets":{})", offsets))));
  }
  list.push_back(bad("the last control character in a name", "{\"a\x1f\":{" + fields + "}}"));
  list.push_back(good("a space in a name", R"({"a b":{)" + fields + "}}", {{"a b", "F32", {2, 3}, 0, 24}}));
  list.push_back(bad("a line break in a name", "{\"a\nb\":{" + fields + "}}"));
  list.push_back(bad("an unknown escape", R"({"a\x":{)" + fields + "}}"));
  list.push_back(bad("half a surrogate pair", R"({"a\ud800":{)" + fields + "}}"));
  list.push_back(bad("an escape without digits", R"({"a\u12":{)" + fields + "}}"));
  list.push_back(bad("a name that is no UTF-8", "{\"a\xff\":{" + fields + "}}"));
  list.push_back(bad("an overlong character", "{\"a\xc0\xaf\":{" + fields + "}}"));
  list.push_back(bad("a character cut short", "{\"a\xe6\x9d\":{" + fields + "}}"));
  list.push_back(bad("metadata that is no UTF-8", "{\"__metadata__\":{\"a\":\"\xed\xa0\x80\"}}"));
  return list;
}

}  // namespace rung::tgi
