/** The webhook's configuration as the host hands it over: defaults filled in and validated against the manifest. */
export interface WebhookConfig {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly maxBodyBytes: number;
  readonly auth: 'none' | 'bearer' | 'signature';
  readonly debug: boolean;
}
