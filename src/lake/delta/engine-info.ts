/** How Mekong signs its commits. */
export const ENGINE_INFO = 'Mekong/0.1.0'
