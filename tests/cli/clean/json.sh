# SPDX-License-Identifier: Apache-2.0
# JSON values that are not strings travel unchanged; a missing key is null to --drop-null.
printf '%s\n' '{"t":"A","n":1.50,"l":["B"],"z":null}' '{"t":"","n":2}' '{"n":3}' |
	sft-clean --lower t --drop-null t --union --rejects rej.jsonl
cat rej.jsonl
printf '%s\n' '{"t":"A","n":1.50}' '{"n":3}' | sft-clean --lower t
