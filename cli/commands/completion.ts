/** Scripts that ask kaslrkit itself what may come next, with the words typed so far behind yargs' `--get-yargs-completions`. */
import { basename } from 'node:path';
import type { Argv } from 'yargs';
import { UsageError } from '../output/error.js';

// yargs words its answer for the $SHELL it runs under (zsh: NAME:DESCRIPTION), which need not be the one that reads the script.
const BASH = `###-begin-kaslrkit-completions-###
# In ~/.bashrc: source <(kaslrkit completion bash)
_kaslrkit_completions()
{
    local -a offered
    mapfile -t offered < <(SHELL=bash ZSH_NAME= kaslrkit --get-yargs-completions "\${COMP_WORDS[@]}")
    mapfile -t COMPREPLY < <(compgen -W "$(printf '%q ' "\${offered[@]}")" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o bashdefault -o default -F _kaslrkit_completions kaslrkit
###-end-kaslrkit-completions-###
`;

const ZSH = `#compdef kaslrkit
###-begin-kaslrkit-completions-###
# In ~/.zshrc, behind compinit: source <(kaslrkit completion zsh)
_kaslrkit_completions()
{
    local -a offered
    offered=("\${(@f)$(SHELL=zsh kaslrkit --get-yargs-completions "\${words[@]}")}")
    if [[ -n "$offered" ]]; then
        _describe 'values' offered
    else
        _default
    fi
}
if [[ "\${zsh_eval_context[-1]}" == "loadautofunc" ]]; then
    _kaslrkit_completions "$@"
else
    compdef _kaslrkit_completions kaslrkit
fi
###-end-kaslrkit-completions-###
`;

const SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', BASH],
  ['zsh', ZSH],
]);

export function builder(argv: Argv): Argv {
  return argv
    .positional('shell', {
      type: 'string',
      choices: [...SCRIPTS.keys()],
      describe: 'whose language the script is in (default: by $SHELL)',
    })
    .example('$0 completion bash', 'to be read by source <(...) in ~/.bashrc');
}

export function handler(values: unknown): void {
  const { shell } = values as { shell?: string };
  // Where no shell is named, as in a container, bash is the likely one.
  const name = shell ?? basename(process.env.SHELL || 'bash');
  const script = SCRIPTS.get(name);
  if (script === undefined) throw new UsageError(`there is no completion for ${name}, the $SHELL; name bash or zsh`);
  process.stdout.write(script);
}
