"""The tiny models of the parity suite: config.json in the published form, and the distribution of the weights.

`make_parity.py` makes a folder from each entry. The sizes are intentionally odd: 3 key-value heads, heads of 40 numbers
instead of dim / heads, a vocabulary of 517, and 5 layers. If RoPE is scaled, the original length is 64, so the prompts
of 65 and 300 tokens are longer than it. The keys of an entry in addition to "config" are:
    dtype     the type of the weights in the file: bf16, f16, f32, or f8 (linear weights as F8_E4M3, the rest as bf16)
    shards    number of weight files, which then have an index
    take_off  prefix that is removed from the names of the tensors
    new_style write config.json in the form of transformers 5 (rope_parameters, layer_types)
    seed      seed of the weights (default: derived from the name)
    norm      mean of the norm weights: 1, or 0 if the model adds 1 itself (Gemma)
    embedding standard deviation of the embeddings
    peaked    factor on the weights of Q and K (or of their norms), which makes attention peaked instead of uniform
"""

V, L = 517, 5


def llama(**more):
    """Returns a Llama whose head_dim is not hidden_size / heads. Its 6 query heads share 3 key-value heads."""
    return {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "vocab_size": V,
            "hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": L, "num_attention_heads": 6,
            "num_key_value_heads": 3, "head_dim": 16, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False} | more


def gemma(model_type, architecture, **more):
    return {"model_type": model_type, "architectures": [architecture], "hidden_activation": "gelu_pytorch_tanh",
            "vocab_size": V, "hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": L,
            "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 16, "max_position_embeddings": 512,
            "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "attention_bias": False, "query_pre_attn_scalar": 24,
            "sliding_window": 37} | more


def phi3(**more):
    return {"model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "hidden_act": "silu", "vocab_size": V,
            "hidden_size": 60, "intermediate_size": 56, "num_hidden_layers": L, "num_attention_heads": 6,
            "num_key_value_heads": 3, "max_position_embeddings": 512, "original_max_position_embeddings": 512,
            "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None, "sliding_window": None,
            "attention_bias": False, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2,
            "pad_token_id": 2} | more


def mixtral(**more):
    return {"model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "hidden_act": "silu", "vocab_size": V,
            "hidden_size": 48, "intermediate_size": 18, "num_hidden_layers": L, "num_attention_heads": 6,
            "num_key_value_heads": 3, "head_dim": 16, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
            "rope_theta": 1000000.0, "sliding_window": None, "num_local_experts": 8, "num_experts_per_tok": 2,
            "tie_word_embeddings": False} | more


def gpt2():
    return {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new",
            "vocab_size": V, "n_embd": 42, "n_inner": None, "n_layer": L, "n_head": 3, "n_positions": 512, "n_ctx": 512,
            "layer_norm_epsilon": 1e-5, "bos_token_id": 1, "eos_token_id": 1}


def entry(config, dtype="bf16", norm=1.0, embedding=1.0, peaked=1.8, **more):
    return {"config": config, "dtype": dtype, "norm": norm, "embedding": embedding, "peaked": peaked} | more


MODELS = {
    "llama": entry(llama(num_attention_heads=3, head_dim=40), shards=3),
    "llama-f32": entry(llama(num_hidden_layers=L, hidden_size=30, intermediate_size=44, head_dim=8), "f32"),
    "llama-f8": entry(llama(), "f8"),
    "llama-mqa": entry(llama(hidden_size=50, num_key_value_heads=1, num_attention_heads=5, head_dim=14), "f16"),
    "llama-bias": entry(llama(attention_bias=True, mlp_bias=True)),
    "llama-linear": entry(llama(max_position_embeddings=512, rope_scaling={"type": "linear", "factor": 8.0})),
    # Llama 3.1 and 3.2: scaling by wavelength, tied embeddings in the small ones.
    "llama31": entry(llama(rope_theta=500000.0, tie_word_embeddings=True, rope_scaling={
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64}), embedding=0.5),
    "llama-yarn": entry(llama(rope_parameters={
        "rope_type": "yarn", "rope_theta": 10000.0, "factor": 8.0, "original_max_position_embeddings": 64,
        "beta_fast": 16.0, "beta_slow": 1.0}, rope_theta=None), new_style=True),
    "mistral": entry({"model_type": "mistral", "architectures": ["MistralForCausalLM"], "hidden_act": "silu",
                      "vocab_size": V, "hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": L,
                      "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 20,
                      "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 1000000.0,
                      "sliding_window": 33, "tie_word_embeddings": False}),
    "mixtral": entry(mixtral()),
    "mixtral-odd": entry(mixtral(hidden_size=44, intermediate_size=26, num_attention_heads=3, head_dim=40,
                                 num_local_experts=5, num_experts_per_tok=3, sliding_window=33), "f16",
                         new_style=True, seed=12),
    "qwen2": entry({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "hidden_act": "silu", "vocab_size": V,
                    "hidden_size": 60, "intermediate_size": 56, "num_hidden_layers": L, "num_attention_heads": 6,
                    "num_key_value_heads": 3, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
                    "rope_theta": 1000000.0, "tie_word_embeddings": False, "use_sliding_window": False,
                    "sliding_window": 33, "max_window_layers": 2}),
    "qwen2-tied": entry({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "hidden_act": "silu",
                         "vocab_size": V, "hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": L,
                         "num_attention_heads": 3, "num_key_value_heads": 3, "max_position_embeddings": 512,
                         "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "tie_word_embeddings": True,
                         "use_sliding_window": False, "sliding_window": 512, "max_window_layers": 5},
                        embedding=0.5),
    "qwen3": entry({"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "hidden_act": "silu", "vocab_size": V,
                    "hidden_size": 56, "intermediate_size": 72, "num_hidden_layers": L, "num_attention_heads": 6,
                    "num_key_value_heads": 3, "head_dim": 20, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
                    "rope_theta": 1000000.0, "rope_scaling": None, "attention_bias": False,
                    "tie_word_embeddings": False, "use_sliding_window": False, "sliding_window": None}, "f16"),
    "phi3": entry(phi3(sliding_window=47)),
    "phi3-longrope": entry(phi3(original_max_position_embeddings=64, rope_scaling={
        "type": "longrope", "short_factor": [1.0, 1.05, 1.1, 1.25, 1.6],
        "long_factor": [1.1, 1.6, 2.9, 4.3, 8.5]})),
    # Phi-4-mini: LongRoPE over three quarters of a head, tied embeddings.
    "phi3-partial": entry(phi3(hidden_size=48, num_attention_heads=3, original_max_position_embeddings=64,
                               partial_rotary_factor=0.75, tie_word_embeddings=True, rope_scaling={
        "type": "longrope", "short_factor": [1.0, 1.0, 1.1, 1.2, 1.3, 1.5],
        "long_factor": [1.2, 1.9, 2.6, 4.7, 7.0, 9.5]}), embedding=0.4),
    "gemma2": entry(gemma("gemma2", "Gemma2ForCausalLM", attn_logit_softcapping=4.0, final_logit_softcapping=6.0),
                    norm=0.0, embedding=0.3),
    # Gemma 3 as first published: a pattern replaces the list of layer types, and the local theta has its own key.
    "gemma3": entry(gemma("gemma3_text", "Gemma3ForCausalLM", sliding_window_pattern=3, rope_theta=1000000.0,
                          rope_local_base_freq=10000.0, head_dim=40, num_attention_heads=3),
                    norm=0.0, embedding=0.3),
    "gemma3-linear": entry(gemma("gemma3_text", "Gemma3ForCausalLM", sliding_window_pattern=2, rope_theta=1000000.0,
                                 rope_local_base_freq=10000.0, sliding_window=29,
                                 rope_scaling={"rope_type": "linear", "factor": 8.0}),
                           norm=0.0, embedding=0.3, new_style=True),
    "gpt2": entry(gpt2(), "f16", embedding=0.5, take_off="transformer."),  # the tensors' names as first published
    "gpt2-prefix": entry(gpt2() | {"n_embd": 30, "n_inner": 44}, "bf16", embedding=0.5),
    "olmo2": entry({"model_type": "olmo2", "architectures": ["Olmo2ForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu", "vocab_size": V,
                    "hidden_size": 60, "intermediate_size": 56, "num_hidden_layers": L, "num_attention_heads": 6,
                    "num_key_value_heads": 3, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
                    "rope_theta": 500000.0, "attention_bias": False, "tie_word_embeddings": False}),
    "smollm3": entry({"model_type": "smollm3", "architectures": ["SmolLM3ForCausalLM"], "hidden_act": "silu",
                      "vocab_size": V, "hidden_size": 60, "intermediate_size": 56, "num_hidden_layers": L,
                      "num_attention_heads": 6, "num_key_value_heads": 3, "max_position_embeddings": 512,
                      "rms_norm_eps": 1e-6, "rope_theta": 2000000.0, "no_rope_layer_interval": 2,
                      "no_rope_layers": [1, 1, 0, 1, 0], "use_sliding_window": False, "sliding_window": None,
                      "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": True, "pad_token_id": 2,
                      "bos_token_id": 1, "eos_token_id": 2}, embedding=0.4),
    "granite": entry({"model_type": "granite", "architectures": ["GraniteForCausalLM"], "hidden_act": "silu",
                      "vocab_size": V, "hidden_size": 60, "intermediate_size": 56, "num_hidden_layers": L,
                      "num_attention_heads": 6, "num_key_value_heads": 3, "max_position_embeddings": 512,
                      "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "attention_bias": False, "mlp_bias": False,
                      "tie_word_embeddings": True, "embedding_multiplier": 3.0, "attention_multiplier": 0.21,
                      "residual_multiplier": 0.42, "logits_scaling": 2.5}, embedding=0.4),
    "stablelm": entry({"model_type": "stablelm", "architectures": ["StableLmForCausalLM"], "hidden_act": "silu",
                       "vocab_size": V, "hidden_size": 60, "intermediate_size": 56, "num_hidden_layers": L,
                       "num_attention_heads": 3, "num_key_value_heads": 3, "max_position_embeddings": 512,
                       "bos_token_id": 1, "eos_token_id": 2, "layer_norm_eps": 1e-5, "rope_theta": 10000,
                       "partial_rotary_factor": 0.3, "use_qkv_bias": True, "use_parallel_residual": False, "qk_layernorm": False,
                       "tie_word_embeddings": False}),
}
