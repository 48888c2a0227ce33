import type { Notice } from '../../contracts/notice.ts';

/** One way to tell people. It may be given the same notice twice: the notice's key is then the same. */
export interface Notifier {
  tell(notice: Notice): Promise<void>;
}
