/** The part of a pino logger that the gateway uses. */
export interface GatewayLogger {
  debug(about: object, message: string): void;
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}
