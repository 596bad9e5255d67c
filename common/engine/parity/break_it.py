"""Breaks the engine in one line at a time, and shows which parity tests detect it.

    python common/engine/parity/break_it.py SCRATCH_FOLDER [NAME ...] [--jobs 2]

The script copies the files that git tracks to SCRATCH_FOLDER and builds the parity tests there, with ccache if it is
installed. For each mutation below, it replaces one line, builds, runs `ctest -L '^parity$' -R engine.parity`, and
restores the line. The text of a mutation must occur exactly once in its file. Otherwise the code has changed, and you
must update the mutation. The script prints a table for README.md. It exits with 1 if no test detects a mutation, or if
the tests fail without a mutation.
"""
import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OPS, FORWARD, BUILD = "common/ops/cpu_ops.cpp", "common/engine/transformer.cpp", "common/engine/transformer_build.cpp"
ROPE, CONFIG, WEIGHTS = "common/model/rope.cpp", "common/model/config_hf.cpp", "common/model/weights.cpp"
RESOLVE = "common/engine/resolve.cpp"
MOE, ACTIVATE = "common/engine/moe_ffn.cpp", "common/ops/cpu_activate.cpp"
MIXER = "common/engine/softmax_mixer.cpp"
ROWS, NORM, FUSION = "common/ops/cpu_rows.hpp", "common/ops/apply_norm.hpp", "03_techniques/kernel_fusion"
ATTENTION, PLAN = "03_techniques/attention/attention.hpp", "03_techniques/attention/register.cpp"

MUTATIONS = {  # name: (file, text, replacement)
    "RoPE rotates adjacent numbers instead of halves": (CONFIG, "config.rope_pairs = RopePairs::half;",
                                                  "config.rope_pairs = RopePairs::interleaved;"),
    "RoPE without its minus sign": (ROWS, "first = a * cos[i] - b * sin[i];", "first = a * cos[i] + b * sin[i];"),
    "RoPE never applied to K": (f"{FUSION}/rope_store.cpp", "rotate_row(*rope, position, k.cols, k.ptr<float>(t));", ";"),
    "RoPE one position late": (ROWS, "const std::int64_t half = tables.rotary_dim / 2;",
                               "const std::int64_t half = tables.rotary_dim / 2; position -= position > 0;"),
    "linear scaling ignored": (ROPE, "if (rope.scaling == RopeScaling::linear) frequency /= rope.factor;", ""),
    "Llama 3 scaling ignored": (ROPE, "if (rope.scaling == RopeScaling::llama3) frequency = llama3(rope, frequency);",
                                "if (i < 0) frequency = llama3(rope, frequency);"),
    "YaRN ignored": (ROPE, "if (rope.scaling == RopeScaling::yarn) yarn(rope, rotary_dim, result.radians);",
                     "if (context < 0) yarn(rope, rotary_dim, result.radians);"),
    "LongRoPE always short": (ROPE, "rope.scaling == RopeScaling::longrope && context > rope.original_context;",
                              "context < 0;"),
    "attention factor of scaled RoPE ignored": (ROPE, "result.magnitude = rope.attention_factor;", "result.magnitude = 1;"),
    "local RoPE ignored": (BUILD, "layer.rope = kind.rope == LayerAttention::Rope::local ? &local_rope_ : &rope_;",
                           "layer.rope = &rope_;"),
    "NoPE layers rotated": (BUILD, "model_.rotary_dim != 0 && kind.rope != LayerAttention::Rope::none",
                            "model_.rotary_dim != 0"),
    "whole heads rotated instead of a part": (CONFIG, "config.rotary_dim = static_cast<int>(config.head_dim * part);",
                                              "config.rotary_dim = part > 0 ? config.head_dim : 0;"),
    "a window one token too wide": (BUILD, "wanted.window = window;", "wanted.window = window == 0 ? 0 : window + 1;"),
    "windows ignored": (BUILD, "wanted.window = window;", "wanted.window = 0;"),
    "the mask hides a token from itself": (PLAN, "plan.push_back({s.table_begin, s.context_length - s.query_count + j + 1});",
                                           "plan.push_back({s.table_begin, std::max(1, s.context_length - s.query_count + j)});"),
    "the mask shows the next token": (PLAN, "plan.push_back({s.table_begin, s.context_length - s.query_count + j + 1});",
                                     "plan.push_back({s.table_begin, std::min(s.context_length - s.query_count + j + 2, s.context_length)});"),
    "attention scale one percent off": (RESOLVE, "attention.scale = model.attention_scale;",
                                        "attention.scale = 1.01f * model.attention_scale;"),
    "the multiplier for attention ignored": (CONFIG, 'config.attention_scale = fields.number("attention_multiplier", 1);', ""),
    "attention's soft cap missing": (RESOLVE, "attention.softcap = model.attention_softcap;", ""),
    "the logits' soft cap missing": (FORWARD, "ops_.softcap(model_.logit_softcap, logits);", "ops_.softcap(1e9f, logits);"),
    "query heads share KV heads in turn": (ATTENTION, "const int kv_head = head / (config.heads / config.kv_heads);",
                                           "const int kv_head = head % config.kv_heads;"),
    "norm eps * 100 (RMS)": (NORM, "ops.rmsnorm(from, norm.weight, norm.eps, to);",
                             "ops.rmsnorm(from, norm.weight, 100 * norm.eps, to);"),
    "norm eps * 100 (LayerNorm)": (NORM, "ops.layernorm(from, norm.weight, norm.bias, norm.eps, to);",
                                   "ops.layernorm(from, norm.weight, norm.bias, 100 * norm.eps, to);"),
    "LayerNorm's bias missing": (OPS, "out[c] = normed * w[c] + (b != nullptr ? b[c] : 0.0f);", "out[c] = normed * w[c] + (b != nullptr ? 0 * b[c] : 0.0f);"),
    "Gemma's norms without 1 +": (WEIGHTS, "naming_ == Naming::hugging_face ? family_.hf_norm_offset : 0;", "0;"),
    "QK norm missing on K": (MIXER, "apply_norm(ops_, parts_.k_norm, k, k);", ";"),
    "norms after the blocks missing": (FORWARD, "= apply_norm(ops_, layer.attn_post_norm, out, out);", "= out;"),
    "biases of products missing": (f"{FUSION}/pieces.cpp", "config_.tile->add_row(part.bias.col_slice(begin, y.cols), y);", ";"),
    "GELU by erf instead of tanh": (ACTIVATE, "if (activation == Activation::gelu_erf) {",
                                    "if (activation != Activation::silu) {"),
    "embedding scale missing": (FORWARD, "if (model_.embedding_scale != 1) ops_.scale(model_.embedding_scale, x);", ""),
    "residual multiplier ignored": (FORWARD, "ops_.add_norm(fed, model_.residual_scale, x,", "ops_.add_norm(fed, 1, x,"),
    "logit scale missing": (FORWARD, "if (model_.logit_scale != 1) ops_.scale(model_.logit_scale, logits);", ""),
    "expert weights not renormalized": (MOE, "if (!normalize_) {", "if (normalize_) {"),
    "one expert too few": (CONFIG, 'fields.size("num_experts_per_tok", 2);', 'fields.size("num_experts_per_tok", 2) - 1;'),
    "one expert too many": (CONFIG, 'fields.size("num_experts_per_tok", 2);', 'fields.size("num_experts_per_tok", 2) + 1;'),
    "the worst experts chosen": (MOE, "logits[e] > logits[best]", "logits[e] < logits[best]"),
    "all experts with equal weight": (MOE, "weights[rank] = std::exp(logits[chosen[rank]] - largest);",
                                      "weights[rank] = std::exp(0 * largest);"),
    "the experts' weights applied to their inputs": (
        MOE, "ops_.gather(x, work.sources.col_slice(0, packed_rows), packed);",
        "ops_.gather(x, work.sources.col_slice(0, packed_rows), packed);"
        "for (std::size_t i = 0; i < routing.places().size(); ++i) {"
        "  ops_.scale(routing.weights()[i], packed.row_slice(routing.places()[i], 1));"
        "  work.weights.ptr<float>()[i] = 1; }"),
    "the next expert instead": (MOE, "experts_[static_cast<std::size_t>(e)];",
                                "experts_[(static_cast<std::size_t>(e) + 1) % experts_.size()];"),
    "a mixture without the norm before it": (FORWARD, "layer.ffn->run(n, out);",
                                            "layer.ffn->run(model_.experts != 0 ? x : n, out);"),
    "w1 and w3 exchanged": (BUILD, "parts({{e.gate, {}}, {e.up, {}}})", "parts({{e.up, {}}, {e.gate, {}}})"),
    "learned positions missing": (FORWARD, "ops_.embed(position_embedding_, batch.positions, positions);",
                                  "ops_.embed(position_embedding_, batch.positions, positions); ops_.scale(0, positions);"),
}


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def copy_tree(scratch):
    shutil.rmtree(scratch / "tree", ignore_errors=True)
    for name in run("git", "ls-files", cwd=ROOT, check=True).stdout.splitlines():
        target = scratch / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)  # keeps file times, so that an existing build folder can be reused


class Build:
    def __init__(self, scratch, jobs):
        self.folder, self.jobs = scratch / "build", str(jobs)
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        run("cmake", "-S", scratch / "tree", "-B", self.folder, "-DCMAKE_BUILD_TYPE=Release", "-DRUNG_CUDA=OFF",
            "-DRUNG_WERROR=OFF", *(["-G", "Ninja"] if shutil.which("ninja") else []), *launcher, check=True)

    def failing(self):
        """Returns the names of the models whose test fails, or None if the code does not compile."""
        built = run("cmake", "--build", self.folder, "--target", "engine_parity_test", "-j", self.jobs)
        if built.returncode != 0:
            print(built.stdout[-3000:], file=sys.stderr)
            return None
        done = run("ctest", "--test-dir", self.folder, "-L", "^parity$", "-R", "^engine.parity", "-j", self.jobs,
                   "--no-tests=error").stdout
        return re.findall(r"- engine\.parity\.(\S+) \((?:Failed|SEGFAULT|Timeout|Subprocess|ILLEGAL|SIGABRT|Child)", done)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("scratch", type=Path)
    arguments.add_argument("names", nargs="*", help="names of mutations (default: all)")
    arguments.add_argument("--jobs", type=int, default=2)
    given = arguments.parse_args()
    chosen = {n: MUTATIONS[n] for n in given.names or MUTATIONS}
    for title, (file, text, _) in chosen.items():
        count = (ROOT / file).read_text().count(text)
        if count != 1:
            sys.exit(f"{title}: its text occurs {count} times in {file}; it must occur exactly once")
    scratch = given.scratch.resolve()
    copy_tree(scratch)
    build = Build(scratch, given.jobs)
    whole = build.failing()
    if whole != []:
        sys.exit(f"the unbroken tree fails: {whole}")
    models = sorted(p.name for p in (ROOT / "common/model/parity/models").iterdir())
    unnoticed = []
    print("| broken | tests that fail |\n|---|---|")
    for title, (file, text, other) in chosen.items():
        path = scratch / "tree" / file
        source = path.read_text()
        path.write_text(source.replace(text, other))
        failing = build.failing()
        path.write_text(source)
        if failing is None:
            told = "does not compile"
        else:
            passing = [m for m in models if m not in failing]
            told = ", ".join(failing)
            if not passing:
                told = f"all {len(models)}"
            elif len(failing) > len(models) // 2:
                told = f"all but {', '.join(passing)}"
        if not failing:
            unnoticed.append(title)
        print(f"| {title} | {told or '**none**'} |", flush=True)
    build.failing()
    if unnoticed:
        sys.exit(f"no test detects: {'; '.join(unnoticed)}")


if __name__ == "__main__":
    main()
