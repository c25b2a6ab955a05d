import '@fontsource-variable/bricolage-grotesque/wght.css';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import { createApp } from 'vue';
import { registerSW } from 'virtual:pwa-register';
import App from './App.vue';

registerSW({ immediate: true });
createApp(App).mount('#app');
