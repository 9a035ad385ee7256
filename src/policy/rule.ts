/** The rules for one interaction with one resource type, compiled. */
export interface RuleSet {
  readonly id: string
}
