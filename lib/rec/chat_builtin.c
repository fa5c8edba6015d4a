/* SPDX-License-Identifier: Apache-2.0 */
/* Built-in chat templates: our own text for the turn formats that models are known to be trained with. */
#include <string.h>
#include "chat.h"

/* Text of a message whose content is a string or a list of text parts. */
#define TEXT \
	"{%- macro text(m) -%}" \
	"{%- if m.content is string -%}{{- m.content -}}" \
	"{%- elif m.content -%}{%- for part in m.content -%}{{- part.text -}}{%- endfor -%}" \
	"{%- endif -%}" \
	"{%- endmacro -%}"

/* A leading system message in SYS, the other messages in TURNS. */
#define SPLIT \
	"{%- if messages and messages[0].role == 'system' -%}" \
	"{%- set sys = text(messages[0]) | trim -%}{%- set turns = messages[1:] -%}" \
	"{%- else -%}" \
	"{%- set sys = '' -%}{%- set turns = messages -%}" \
	"{%- endif -%}"

#define ONLY(roles) \
	"{%- if m.role not in " roles " -%}{{- raise_exception('no role ' ~ m.role ~ ' in this chat template') -}}{%- endif -%}"

static const char chatml[] = TEXT
	"{%- for m in messages -%}"
	"{{- '<|im_start|>' + m.role + '\\n' + text(m) + '<|im_end|>\\n' -}}"
	"{%- endfor -%}"
	"{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}";

static const char llama3[] = TEXT
	"{{- bos_token | default('<|begin_of_text|>') -}}"
	"{%- for m in messages -%}"
	"{{- '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + text(m) | trim + '<|eot_id|>' -}}"
	"{%- endfor -%}"
	"{%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}{%- endif -%}";

/* ChatML with tools as Qwen's models know them. */
static const char qwen[] = TEXT SPLIT
	"{%- if sys or tools -%}"
	"{{- '<|im_start|>system\\n' + sys -}}"
	"{%- if tools -%}"
	"{{- ('\\n\\n' if sys else '') + '# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\n"
	"You are provided with function signatures within <tools></tools> XML tags:\\n<tools>' -}}"
	"{%- for tool in tools -%}{{- '\\n' + tool | tojson -}}{%- endfor -%}"
	"{{- '\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\\n"
	"<tool_call>\\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\\n</tool_call>' -}}"
	"{%- endif -%}"
	"{{- '<|im_end|>\\n' -}}"
	"{%- endif -%}"
	"{%- for m in turns -%}"
	"{%- if m.role == 'tool' -%}"
	"{%- if loop.first or loop.previtem.role != 'tool' -%}{{- '<|im_start|>user' -}}{%- endif -%}"
	"{{- '\\n<tool_response>\\n' + text(m) + '\\n</tool_response>' -}}"
	"{%- if loop.last or loop.nextitem.role != 'tool' -%}{{- '<|im_end|>\\n' -}}{%- endif -%}"
	"{%- else -%}"
	"{{- '<|im_start|>' + m.role + '\\n' + text(m) -}}"
	"{%- for call in m.tool_calls or [] -%}"
	"{%- set f = call.function or call -%}"
	"{{- ('' if loop.first and not m.content else '\\n') + '<tool_call>\\n{\"name\": ' + f.name | tojson + ', \"arguments\": ' + "
	"(f.arguments if f.arguments is string else f.arguments | tojson) + '}\\n</tool_call>' -}}"
	"{%- endfor -%}"
	"{{- '<|im_end|>\\n' -}}"
	"{%- endif -%}"
	"{%- endfor -%}"
	"{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}";

/* The system message opens the first user turn. */
static const char mistral[] = TEXT SPLIT
	"{{- bos_token | default('<s>') -}}"
	"{%- for m in turns -%}" ONLY("['user', 'assistant']")
	"{%- if m.role == 'user' -%}"
	"{{- '[INST] ' + (sys + '\\n\\n' if sys and loop.first else '') + text(m) + ' [/INST]' -}}"
	"{%- else -%}"
	"{{- ' ' + text(m) | trim + eos_token | default('</s>') -}}"
	"{%- endif -%}"
	"{%- endfor -%}";

static const char gemma[] = TEXT SPLIT
	"{{- bos_token | default('<bos>') -}}"
	"{%- for m in turns -%}" ONLY("['user', 'assistant']")
	"{{- '<start_of_turn>' + ('model' if m.role == 'assistant' else 'user') + '\\n' + (sys + '\\n\\n' if sys and loop.first else '') + "
	"text(m) | trim + '<end_of_turn>\\n' -}}"
	"{%- endfor -%}"
	"{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}";

static const char deepseek[] = TEXT SPLIT
	"{{- bos_token | default('<\uff5cbegin\u2581of\u2581sentence\uff5c>') + sys -}}"
	"{%- for m in turns -%}" ONLY("['user', 'assistant']")
	"{%- if m.role == 'user' -%}"
	"{{- '<\uff5cUser\uff5c>' + text(m) -}}"
	"{%- else -%}"
	"{{- '<\uff5cAssistant\uff5c>' + text(m) + eos_token | default('<\uff5cend\u2581of\u2581sentence\uff5c>') -}}"
	"{%- endif -%}"
	"{%- endfor -%}"
	"{%- if add_generation_prompt -%}{{- '<\uff5cAssistant\uff5c>' -}}{%- endif -%}";

static const char zephyr[] = TEXT
	"{%- for m in messages -%}" ONLY("['system', 'user', 'assistant']")
	"{{- '<|' + m.role + '|>\\n' + text(m) + eos_token | default('</s>') + '\\n' -}}"
	"{%- endfor -%}"
	"{%- if add_generation_prompt -%}{{- '<|assistant|>\\n' -}}{%- endif -%}";

static const char alpaca[] = TEXT SPLIT
	"{{- bos_token | default('') + (sys or 'Below is an instruction that describes a task. Write a response that appropriately completes the request.') + '\\n\\n' -}}"
	"{%- for m in turns -%}" ONLY("['user', 'assistant']")
	"{%- if m.role == 'user' -%}"
	"{{- '### Instruction:\\n' + text(m) + '\\n\\n' -}}"
	"{%- else -%}"
	"{{- '### Response:\\n' + text(m) + eos_token | default('</s>') + '\\n\\n' -}}"
	"{%- endif -%}"
	"{%- endfor -%}"
	"{%- if add_generation_prompt -%}{{- '### Response:\\n' -}}{%- endif -%}";

static const char vicuna[] = TEXT SPLIT
	"{{- bos_token | default('<s>') + (sys or 'A chat between a curious user and an artificial intelligence assistant. "
	"The assistant gives helpful, detailed, and polite answers to the user\\'s questions.') -}}"
	"{%- for m in turns -%}" ONLY("['user', 'assistant']")
	"{%- if m.role == 'user' -%}"
	"{{- ' USER: ' + text(m) | trim -}}"
	"{%- else -%}"
	"{{- ' ASSISTANT: ' + text(m) | trim + eos_token | default('</s>') -}}"
	"{%- endif -%}"
	"{%- endfor -%}"
	"{%- if add_generation_prompt -%}{{- ' ASSISTANT:' -}}{%- endif -%}";

static const char *const texts[] = { chatml, llama3, qwen, mistral, gemma, deepseek, zephyr, alpaca, vicuna };
const char *const chat_builtins[] = { "chatml", "llama3", "qwen", "mistral", "gemma", "deepseek", "zephyr", "alpaca", "vicuna", NULL };

const char *chat_builtin(const char *name)
{
	for (size_t i = 0; chat_builtins[i] != NULL; i++)
		if (strcmp(chat_builtins[i], name) == 0)
			return texts[i];
	return NULL;
}
