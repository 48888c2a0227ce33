/** The pawl.yaml that `init` writes: everything that a person will want to set, with what it means. */
export interface Starter {
  readonly service: string;
  readonly corpus: string;
  readonly queries: string;
  readonly train: string;
  readonly test: string;
}

/** A JSON string is a YAML string too. */
const quoted = (text: string): string => JSON.stringify(text);

export const starterYaml = ({ service, corpus, queries, train, test }: Starter): string => `\
# One AI service under Pawl's care. A wrong key is refused with its line.
service: ${quoted(service)}

# dev: the loop only looks. staging: a person approves each promotion. production: so too, with a smaller share of the
# traffic and a longer look. What an environment sets by itself, the lines below override.
environment: staging

# Paths are relative to this file.
data:
  # JSON lines: _id, title, text.
  corpus: ${quoted(corpus)}
  # JSON lines: _id, text.
  queries: ${quoted(queries)}
  # Tab-separated: query-id, corpus-id, score. What is trained on is never tested on.
  judgements:
    train: ${quoted(train)}
    test: ${quoted(test)}

gateway:
  host: 127.0.0.1
  port: 8787

# observe: monitor and diagnose. advise: up to an offline verdict. act: move traffic as well.
mode: act

# A gate is breached when its metric falls so far below the champion's baseline, or passes a limit.
gates:
  ndcg: { metric: ndcg, drop: 3%, samples: 30, window: 24h, within: 1h }
  latency: { metric: latency, above: 800, samples: 30, window: 15m, within: 5m }
  errors: { metric: errors, above: 0.1, samples: 30, window: 15m, within: 3m }

# What looks at the gates by itself. \`pawl schedule apply\` makes it so.
schedules:
  - { name: hourly, every: 1h, reason: hourly look at the gates }
  - { name: fast, every: 30s, starts: fix, reason: quick look at latency and errors }
`;
