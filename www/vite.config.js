import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { benchmark } from './bench/libraries/vite-plugin.mjs';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    target: 'es2022',
    // The database's WebAssembly is inside the bundle, which is what lets the board open with no network.
    chunkSizeWarningLimit: 2000,
  },
  plugins: [
    vue(),
    benchmark(),
    VitePWA({
      strategies: 'generateSW',
      registerType: 'autoUpdate',
      injectRegister: false,
      includeAssets: ['icon.svg', 'icon-192.png'],
      manifest: {
        id: '/',
        name: 'Potoroo board',
        short_name: 'Board',
        description: 'A shared board of notes that works offline',
        start_url: '/',
        display: 'standalone',
        background_color: '#e3e9df',
        theme_color: '#e3e9df',
        icons: [
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
          { src: '/icon.svg', sizes: 'any', type: 'image/svg+xml' },
        ],
      },
      workbox: {
        globPatterns: ['**/*.{html,js,css,woff2,wasm}'],
        maximumFileSizeToCacheInBytes: 8 * 1024 * 1024,
        // The benchmark is no part of the board: nobody gets it who doesn't open it.
        globIgnores: ['bench/**'],
        navigateFallback: '/index.html',
        navigateFallbackDenylist: [/^\/bench\//],
        cleanupOutdatedCaches: true,
        // A first visit must be enough: without this only the second one would survive the network's absence.
        clientsClaim: true,
        skipWaiting: true,
      },
    }),
  ],
});
