"""How a conversation is written down for the model.

    <|endoftext|><|user|>Tell me a story about a fox.<|story|>A fox was once ...<|end|><|user|>Go on.<|story|>

The three markers are tokens of their own, so no text that a user types can be mistaken for one, unless it spells
the marker out. An answer ends with <|end|>; <|endoftext|> keeps its one meaning, the border between documents.
"""
END, USER, STORY, TURN_END = SPECIAL = ["<|endoftext|>", "<|user|>", "<|story|>", "<|end|>"]  # ids 0, 1, 2, 3

# Jinja, as transformers and `rung chat` render it. A system message is put before the first user line.
TEMPLATE = """\
{{- bos_token }}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {{- '<|user|>' }}
        {%- if loop.index0 == 1 and messages[0].role == 'system' %}
            {{- messages[0].content | trim + ' ' }}
        {%- endif %}
        {{- message.content | trim }}
    {%- elif message.role == 'assistant' %}
        {{- '<|story|>' + message.content | trim + '<|end|>' }}
    {%- elif message.role != 'system' or not loop.first %}
        {{- raise_exception('this model knows user and assistant turns, and a system message at the start') }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|story|>' }}
{%- endif %}
"""


def render(messages: list[dict], add_generation_prompt: bool = False) -> str:
    """What transformers' apply_chat_template gives (tested in export.py), without loading transformers."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str):
        raise ValueError(message)
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    return environment.from_string(TEMPLATE).render(
        bos_token=END, messages=messages, add_generation_prompt=add_generation_prompt)
