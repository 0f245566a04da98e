import { type CommandContext, UsageError } from './command.ts'

/** The one argument of a command. @throws UsageError when it is missing or not alone */
export function onlyArgument({ args }: Pick<CommandContext, 'args'>, what: string): string {
  const [first, ...rest] = args
  if (first === undefined) throw new UsageError(`Name ${what}.`)
  if (rest.length > 0) throw new UsageError(`Name ${what} alone; "${rest[0]}" is too much.`)
  return first
}

/** The argument of a command that may do without. @throws UsageError when there are several */
export function optionalArgument(
  context: Pick<CommandContext, 'args'>,
  what: string,
): string | undefined {
  return context.args.length === 0 ? undefined : onlyArgument(context, what)
}
