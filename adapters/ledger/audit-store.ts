/** An audit of the ledger where it lies, page by page; rows that are appended meanwhile are looked at too. */
import { setImmediate as turn } from 'node:timers/promises';
import type { ControlStore } from '../control/port.ts';
import { type AuditReport, type KnownHead, LedgerAudit } from './audit.ts';
import type { NoteKey } from './signed-note.ts';

const PAGE = 1_000;

export interface StoreAudit {
  readonly control: Pick<ControlStore, 'storedRows'>;
  readonly key: NoteKey | null;
  readonly known?: readonly KnownHead[];
  readonly progress?: (rows: number) => void;
}

export const auditStore = async ({ control, key, known = [], progress }: StoreAudit): Promise<AuditReport> => {
  const audit = new LedgerAudit({ key, known });
  for (let afterSeq = 0, looked = 0; ; ) {
    const { rows, head, peaks } = await control.storedRows({ afterSeq, limit: PAGE });
    audit.expect(head, peaks);
    for (const row of rows) audit.add(row);
    looked += rows.length;
    progress?.(looked);
    const last = rows.at(-1);
    if (!last) return audit.end();
    afterSeq = last.seq;
    await turn(); // Reading is synchronous; whoever shows the progress wants a turn.
  }
};
