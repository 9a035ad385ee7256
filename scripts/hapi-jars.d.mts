export declare const java: string
export declare function ensureHapiServerJar(): string
export declare function ensureHapiClientJar(): string
